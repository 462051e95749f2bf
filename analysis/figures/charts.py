"""Charts of tests: curve with its global envelope, null distribution, size along the bandwidth."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from ..checks import Calibration
from ..inference import CurveResult, TestResult, format_p
from .style import BAND, INK, SITE, STRIKE


def draw_curve(curve: CurveResult, ax: Axes, *, site: str = "site") -> Axes:
    """Draw observed over expected strikes against the radius (metres), with the global envelope."""
    ax.fill_between(curve.distance, curve.lower, curve.upper, color=BAND, lw=0, label=f"{curve.level:.0%} global envelope under the null")
    ax.plot(curve.distance, curve.central, color=SITE, lw=1.2, ls="--", label="median under the null")
    ax.plot(curve.distance, curve.observed, color=STRIKE, lw=2.2, label="observed")
    ax.axhline(1, color="#888888", lw=0.8)
    ax.set_xlim(0, curve.distance.max())
    top = 1.15 * max(curve.observed.max(), np.median(curve.upper))
    ax.set_ylim(0, max(2.0, min(top, 2 * curve.observed.max())))
    ax.set_xlabel(f"distance to the nearest {site} (m)")
    ax.set_ylabel("observed / expected strikes")
    ax.legend(loc="upper right", fontsize=9)
    return ax


def draw_null(test: TestResult, ax: Axes) -> Axes:
    """Draw the statistic in the draws from the null, and the observed value."""
    sns.histplot(x=test.simulated, bins=60, stat="density", color=BAND, edgecolor="white", linewidth=0.3, ax=ax)
    ax.axvline(test.statistic, color=STRIKE, lw=2.2)
    ax.set_ylim(top=1.25 * ax.get_ylim()[1])  # the label stands above the bars
    right = test.statistic > np.mean(ax.get_xlim())
    ax.annotate(
        f"observed {test.statistic:.2f}\np = {format_p(test.p_value)} ({test.alternative})",
        (test.statistic, 0.99),
        xycoords=("data", "axes fraction"),
        xytext=(-8 if right else 8, 0),
        textcoords="offset points",
        ha="right" if right else "left",
        va="top",
        color=INK,
    )
    ax.set_xlabel("decay score")
    ax.set_ylabel(f"density of {test.n_simulations:,} draws")
    return ax


def draw_size(calibration: Calibration, level: float, ax: Axes) -> Axes:
    """Draw how often the test rejects in each simulated world, against the bandwidth (metres)."""
    looks = {"smooth": (SITE, "-"), "aim points": (INK, "--"), "selective": ("#999999", ":"), "excess": (STRIKE, "-")}
    worlds = list(dict.fromkeys(row["world"] for row in calibration.rows))
    last: list[tuple[float, str, str]] = []
    for world in worlds:
        rows = [row for row in calibration.rows if row["world"] == world]
        colour, dash = looks[rows[0]["truth"]]
        x, y = [row["bandwidth_m"] for row in rows], [row["share"] for row in rows]
        ax.plot(x, y, color=colour, ls=dash, marker="o", ms=3, lw=1.4)
        last.append((y[-1], world, colour))
    ax.axhspan(0, calibration.bound, color="#EEEEEE", lw=0, zorder=0)
    ax.axhline(level, color="#888888", lw=0.8)
    gap, floor = 0.048, -1.0
    for height, world, colour in sorted(last):
        floor = max(height, floor + gap)
        ax.annotate(
            world, (x[-1], height), xytext=(1.02, floor), textcoords=("axes fraction", "data"), fontsize=8, color=colour, va="center"
        )
    ax.set_ylim(0, 1)
    ax.set_xlabel("bandwidth of the kernel baseline (m)")
    ax.set_ylabel("share of worlds in which the test rejects")
    return ax
