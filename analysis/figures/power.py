"""Power curves of the tests around given sites: which test sees which alternative."""

from __future__ import annotations

from matplotlib.axes import Axes

from ..checks import FocusedCalibration
from .style import AIM, INK, SITE, STRIKE, figure

LOOKS = [(STRIKE, "-"), (SITE, "-"), (AIM, "-"), (STRIKE, "--"), (SITE, "--"), ("#777777", "--"), (INK, ":"), (SITE, ":"),
         ("#999999", "-.")]  # fmt: skip
TITLES = {
    "near": "excess within 500 m of all buildings",
    "broad": "excess fading over 2 km",
    "one building": "excess within 500 m of one building",
}


def power_curves(calibration: FocusedCalibration, truth: str, ax: Axes, *, legend: bool = True) -> Axes:
    """Draw how often each test finds the excess, against the excess ratio, for one truth: near, broad or one building.

    The tests are told the true baseline; with one estimated from the same strikes all of them see less.
    """
    tests = list(dict.fromkeys(row["test"] for row in calibration.rows))
    for test, (colour, dash) in zip(tests, LOOKS, strict=True):
        ratio, power = calibration.curve(test, truth)
        ax.plot(ratio, power, color=colour, ls=dash, marker="o", ms=3, lw=1.5, label=test)
    ax.axhline(calibration.level, color="#888888", lw=0.8)
    ax.set_ylim(0, 1)
    ax.set_xlabel("excess ratio")
    ax.set_ylabel("share of worlds in which the test rejects")
    ax.set_title(TITLES[truth], fontsize=10)
    if legend:
        ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def power_figure(calibration: FocusedCalibration) -> bytes:
    """Draw the power curves for every truth, side by side, as PNG."""
    with figure(12.5, 4.6, source="Simulated worlds: data/calibration/focused.json.", panels=len(TITLES)) as drawing:
        for ax, truth in zip(drawing.axes, TITLES, strict=True):
            power_curves(calibration, truth, ax, legend=truth == "one building")
    return drawing.png
