"""Measured sizes of every test under every null."""

from __future__ import annotations

from matplotlib.axes import Axes

from ..checks import Sizes
from .style import INK, SITE, STRIKE, figure

PANELS = {
    "served, baseline known": ("known", True),
    "served, baseline from the same strikes": ("kernel", True),
    "not served: what goes wrong": ("known", False),
}


def size_dots(sizes: Sizes, baseline: str, serves: bool, ax: Axes) -> Axes:
    """Draw the share of worlds in which each test rejects, by null and world, with its exact 95 % interval; red above the bound."""
    rows = [r for r in sizes.rows if r["serves"] == serves and (r["baseline"] in (baseline, "none") or (serves and baseline == "kernel"
            and r["baseline"] == "surface"))]  # fmt: skip
    groups = list(dict.fromkeys((r["null"], r["world"]) for r in rows))
    for row in rows:
        y = groups.index((row["null"], row["world"]))
        ax.plot([row["lower"], row["upper"]], [y, y], color="#cccccc", lw=0.8, zorder=1)
        ax.plot(row["share"], y, "o", ms=4, color=SITE if row["holds"] else STRIKE, alpha=0.8, zorder=2)
    ax.axvline(sizes.level, color=INK, lw=0.8)
    ax.set_yticks(range(len(groups)), [f"{null} · {world}" for null, world in groups], fontsize=8)
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.set_xlabel("share of worlds in which the test rejects")
    return ax


def sizes_figure(sizes: Sizes) -> bytes:
    """Draw all sizes side by side, as PNG: one dot for each test."""
    with figure(
        14, 5.6, source="Simulated worlds: data/calibration/sizes.json. Dots above the 1 % bound in orange.", panels=len(PANELS)
    ) as drawing:
        for ax, (title, (baseline, serves)) in zip(drawing.axes, PANELS.items(), strict=True):
            size_dots(sizes, baseline, serves, ax).set_title(title, fontsize=10)
    return drawing.png
