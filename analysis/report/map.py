"""The interactive map: what the page's SVG is made of, in metres from the window's north-west corner."""

from __future__ import annotations

import base64
import io
from typing import Any

import matplotlib.image
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ..assess import Assessment
from ..figures import PAPER
from ..figures.maps import surroundings

MOST = 3000  # strikes on the map: those nearest to sites where there are more, so that the page stays small
SIMPLER_M = 25.0  # outlines are drawn this exactly
CELLS = 240  # along the longer side of the shaded baseline
MARKS = ("strike_id", "place", "weapon_class", "weapon", "mechanism", "selection", "source_publisher", "source_url")


def map_parts(a: Assessment) -> dict[str, Any]:
    """Give everything the template draws: outline, areas, baseline, sites with rings, aim points, strikes with their day."""
    west, south, east, north = a.study.window.bounds
    strikes = a.study.strikes.points(a.study.strikes.located(a.plan.strikes.located_max_m))
    assert strikes.marks is not None
    distance, nearest = a.design.sites.nearest(strikes.easting, strikes.northing)
    shown = np.sort(np.argsort(distance, kind="stable")[:MOST])
    marks = strikes.marks.reindex(columns=[*MARKS, "date", "uncertainty_m"]).iloc[shown]
    first = pd.Timestamp(a.study.strikes.frame["date"].min())
    names = _names(a)
    rows = []
    for k, (_, row) in zip(shown, marks.iterrows(), strict=True):
        told = {name: "" if pd.isna(row[name]) else str(row[name]) for name in MARKS}
        rows.append({**told, "x": round(strikes.easting[k] - west), "y": round(north - strikes.northing[k]), "error": row["uncertainty_m"],
                     "day": (row["date"] - first).days, "date": row["date"].date().isoformat(), "distance": float(distance[k]),
                     "nearest": names[nearest[k]]})  # fmt: skip
    aims = a.study.aim_points if a.study.aim_points is not None else pd.DataFrame({"easting": [], "northing": []})
    sites = a.design.sites
    (left, right), (low, high) = surroundings(sites)
    return {
        "width": round(east - west), "height": round(north - south),
        "outline": _path(a.study.window.polygon, west, north),
        "areas": [{"name": name, "path": _path(area, west, north), **_label(area, west, north)} for name, area in a.study.areas.items()],
        "baseline": _baseline(a, west, north),
        "sites": [{"x": round(e - west), "y": round(north - y), "name": name}
                  for e, y, name in zip(sites.easting, sites.northing, names, strict=True)],
        "focus": [round(v) for v in (left - west, north - high, right - left, high - low)],
        "radii": sorted(a.plan.secondary.radii_m),
        "aims": [{"x": round(p["easting"] - west), "y": round(north - p["northing"]), "name": str(p["name"]), "radius": p.get("radius_m", 0.0)}
                 for p in aims.to_dict("records")],
        "strikes": rows, "left_out": strikes.n - len(rows), "first": first.date().isoformat(),
        "days": (pd.Timestamp(a.study.strikes.frame["date"].max()) - first).days,
        "weapons": sorted({row["weapon_class"] for row in rows}),
    }  # fmt: skip


def _names(a: Assessment) -> list[str]:
    marks = a.design.sites.marks
    return list(map(str, range(a.design.sites.n) if marks is None or "names" not in marks else marks["names"]))


def _path(shape: shapely.Geometry, west: float, north: float) -> str:
    """Write a polygon as an SVG path, in whole metres."""
    rings = [ring for part in shapely.get_parts(shape.simplify(SIMPLER_M)) for ring in (part.exterior, *part.interiors)]
    lines = [np.column_stack([np.asarray(r.coords)[:, 0] - west, north - np.asarray(r.coords)[:, 1]]).round().astype(int) for r in rings]
    return "".join("M" + "L".join(f"{x} {y}" for x, y in line[:-1]) + "Z" for line in lines)


def _label(area: shapely.Geometry, west: float, north: float) -> dict[str, int]:
    at = area.representative_point()
    return {"x": round(at.x - west), "y": round(north - at.y)}


def _baseline(a: Assessment, west: float, north: float) -> dict[str, Any]:
    """Shade the baseline as a small picture: transparent outside the window."""
    grid = a.baseline.grid
    step = max(1, max(grid.shape) // CELLS)
    values: NDArray[np.float64] = np.where(grid.inside, a.baseline.values, np.nan)[::step, ::step][::-1]
    largest = float(np.nanmax(values))
    shade = PAPER(np.nan_to_num(values / largest))
    shade[np.isnan(values), 3] = 0.0
    out = io.BytesIO()
    matplotlib.image.imsave(out, np.round(shade * 255).astype(np.uint8), format="png", metadata={"Software": ""})
    rows, columns = values.shape
    height = rows * step * grid.dy
    return {
        "data": base64.b64encode(out.getvalue()).decode(), "x": round(grid.west - west), "y": round(north - grid.south - height),
        "width": round(columns * step * grid.dx), "height": round(height), "largest": largest * 1e6,
    }  # fmt: skip
