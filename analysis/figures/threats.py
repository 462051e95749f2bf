"""Figures of the threats: the specification curve, and every check at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .style import BAND, INK, SITE, STRIKE

SHOWN = {"baseline": "baseline", "window": "window", "decay": "decay", "scale_m": "scale (m)", "area_counts": "area counts",
         "weights": "weights", "prompting": "prompting events"}  # fmt: skip


def draw_specifications(rows: Sequence[dict[str, Any]], level: float, ax: Axes) -> Axes:
    """Draw every specification as one column, in order of its p: the p on top, and below which choices it makes.

    Ticks of a choice that crowd to the left mark a choice that makes small p-values.
    """
    ordered = sorted(rows, key=lambda row: float(row["p_value"]))
    p = np.array([float(row["p_value"]) for row in ordered])
    x = np.arange(len(p))
    top = -np.log10(p)
    ax.scatter(x, top, s=4, color=np.where(p <= level, STRIKE, SITE), lw=0)
    ax.axhline(-np.log10(level), color=INK, lw=0.8, ls="--")
    ax.annotate(f"level {level:g}", (len(p), -np.log10(level)), ha="right", va="bottom", fontsize=8)
    step = 0.09 * top.max()
    positions = [float(k) for k in range(int(top.max()) + 1)]
    labels, y = [f"{10.0**-k:g}" for k in positions], -0.08 * top.max()
    for key, label in SHOWN.items():
        options = {row[key] for row in ordered}
        if len(options) < 2:
            continue
        y -= 0.5 * step
        for option in sorted(options):
            y -= step
            chosen = np.array([row[key] == option for row in ordered])
            ax.scatter(x[chosen], np.full(int(chosen.sum()), y), marker="|", s=22, color=INK, lw=0.4, rasterized=True)
            positions.append(y)
            labels.append(f"{label}: {option:g}" if isinstance(option, float) else f"{label}: {option}")
    ax.set_yticks(positions, labels, fontsize=7.5)
    ax.set_xlim(-1, len(p) + 1)
    ax.set_xlabel(f"{len(p)} specifications, in order of p")
    ax.set_ylabel("p-value of each (log scale), and its choices below")
    return ax


def draw_checks(checks: Sequence[Any], ax: Axes) -> Axes:
    """Draw one row for each check: passed, failed, or not known."""
    looks: dict[bool | None, tuple[str, str, str]] = {
        True: (SITE, "o", "the answer stands"), False: (STRIKE, "X", "overturns the answer"), None: (BAND, "s", "the data do not say"),
    }  # fmt: skip
    for passed, (colour, marker, label) in looks.items():
        rows = [k for k, check in enumerate(checks) if check.passed is passed]
        ax.scatter([list(looks).index(passed)] * len(rows), rows, color=colour, marker=marker, s=70, label=label, edgecolor=INK, lw=0.5)
    ax.set_yticks(range(len(checks)), [check.name for check in checks], fontsize=9)
    ax.invert_yaxis()
    ax.set_xticks(range(len(looks)), [f"{label}\n({sum(c.passed is p for c in checks)})" for p, (_, _, label) in looks.items()], fontsize=9)
    ax.set_xlim(-0.6, 2.6)
    ax.grid(axis="y", color="#EEEEEE")
    ax.set_axisbelow(True)
    return ax
