"""The map: strikes, missions, aim points and the baseline, with a scale bar and a north arrow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
import shapely.affinity
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from ..pattern import Intensity, PointPattern, Sites, Window
from ..proximity import ScanResult
from .style import AIM, INK, SITE, STRIKE

PAPER = LinearSegmentedColormap.from_list("paper", ["#FFFFFF", "#F3EFE4", "#D9CDAE", "#A08F66"])
DRAWN = 3_000  # strikes drawn as shapes in vector files; more are a picture in them


def draw_map(
    window: Window,
    strikes: PointPattern,
    sites: Sites,
    ax: Axes,
    *,
    baseline: Intensity | None = None,
    areas: dict[str, shapely.Polygon | shapely.MultiPolygon] | None = None,
    aim_points: pd.DataFrame | None = None,
    site_label: str = "sites",
    bar_km: float = 5.0,
    centre: bool = False,
) -> Axes:
    """Draw a study on a map in its projected CRS (metres).

    Parameters
    ----------
    strikes : PointPattern
        Located strikes; the mark ``uncertainty_m``, if there, is drawn as a disc of that radius to scale.
    baseline : Intensity, optional
        Shaded, in strikes for each km².
    areas, aim_points : optional
    site_label : str
        What the sites are called in the legend.
    bar_km : float
        Length of the scale bar.
    centre : bool
        Show the surroundings of the sites only.
    """
    if baseline is not None:
        grid = baseline.grid
        extent = (grid.west, grid.west + grid.dx * grid.shape[1], grid.south, grid.south + grid.dy * grid.shape[0])
        shown = np.where(grid.inside, baseline.values * 1e6, np.nan)
        image = ax.imshow(shown, origin="lower", extent=extent, cmap=PAPER, vmin=0, interpolation="nearest", zorder=0)
        ax.figure.colorbar(image, ax=ax, shrink=0.55, pad=0.01, label="baseline, strikes per km² over the whole period")
    for shape in (areas or {}).values():
        _outline(shape, ax, color="#B5B5B5", lw=0.6)
    _outline(window.polygon, ax, color=INK, lw=1.1)
    if aim_points is not None:
        places = aim_points["easting"], aim_points["northing"]
        ax.plot(*places, ls="", marker="^", ms=5, mfc="none", mec=AIM, mew=0.8, label="aim points", zorder=3)
    if strikes.marks is not None and "uncertainty_m" in strikes.marks:
        size = 2 * strikes.marks["uncertainty_m"].to_numpy(float)
        offsets = np.column_stack([strikes.easting, strikes.northing])
        discs = EllipseCollection(size, size, np.zeros(len(size)), units="xy", offsets=offsets, offset_transform=ax.transData)
        discs.set(facecolor=STRIKE, alpha=0.25, edgecolor="none", zorder=3, rasterized=strikes.n > DRAWN)
        ax.add_collection(discs)
    ax.plot(sites.easting, sites.northing, ls="", marker="s", ms=3.6, mfc=SITE, mec="white", mew=0.4, label=site_label, zorder=4)
    (dots,) = ax.plot(strikes.easting, strikes.northing, ls="", marker="o", ms=4, mfc=STRIKE, mec="white", mew=0.5, label="located strikes")
    dots.set(zorder=5, rasterized=strikes.n > DRAWN)
    west, south, east, north = window.bounds
    if centre:
        (west, east), (south, north) = surroundings(sites)
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    ax.set_aspect("equal")
    ax.set_axis_off()
    x, y = west + 0.03 * (east - west), south + 0.04 * (north - south)
    ax.plot([x, x + 1000 * bar_km], [y, y], color=INK, lw=2.5, solid_capstyle="butt")
    ax.annotate(f"{bar_km:g} km", (x + 500 * bar_km, y), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=8.5)
    top = north - 0.02 * (north - south)
    ax.annotate("N", (x, top), (x, top - 0.07 * (north - south)), ha="center", va="center", arrowprops={"arrowstyle": "-|>", "color": INK})
    ax.legend(loc="lower right", fontsize=8.5, frameon=True, framealpha=0.9, edgecolor="none")
    return ax


def draw_scan(scan: ScanResult, ax: Axes, *, level: float = 0.05) -> Axes:
    """Draw the outline of the union of all significant clusters on a map (metres), each numbered at its centre, the most likely first.

    A cluster says that more fell there than expected; not that it fell evenly over the disc, nor why.
    """
    rows = list(scan.clusters[scan.clusters["p_value"] <= level].itertuples())
    discs = []
    for row in rows:
        disc = shapely.affinity.scale(shapely.Point(row.easting, row.northing).buffer(row.radius, quad_segs=32), row.shape, 1.0)
        discs.append(shapely.affinity.rotate(disc, row.angle))
    if discs:
        _outline(shapely.union_all(discs), ax, color=STRIKE, lw=1.6)
    for rank, row in enumerate(rows, 1):
        ax.annotate(str(rank), (row.easting, row.northing), color=STRIKE, weight="bold", ha="center", va="center", zorder=7)
    return ax


def surroundings(sites: Sites) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the easting and northing (from, to) of a map of the sites: nearly all of them, and 800 m about."""
    margin = np.array([-800.0, 800.0])
    return np.quantile(sites.easting, [0.02, 0.98]) + margin, np.quantile(sites.northing, [0.02, 0.98]) + margin


def _outline(shape: shapely.Geometry, ax: Axes, *, color: str, lw: float) -> None:
    for line in shapely.get_parts(shape.boundary):
        ax.plot(*np.asarray(line.coords).T, color=color, lw=lw, zorder=2)
