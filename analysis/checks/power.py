"""Power: what the test could have seen at this n, and how far a finding would overstate.

References
----------
Gelman, A. & Carlin, J. (2014). Beyond power calculations: assessing type S (sign) and type M (magnitude) errors. Perspectives on
Psychological Science 9, 641-651.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..baseline import window_means
from ..proximity import Decay, ExcessResult
from ..proximity.excess import tilted
from .calibration import Calibration
from .scene import CheckResult, Places, Scene

Array = NDArray[np.float64]
RATIOS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0)


def power(at: Scene, excess: ExcessResult) -> CheckResult:
    """Draw from the baseline raised by known ratios: power, type S and type M errors.

    The estimate in a draw is the ratio at which its score is the median, as in the primary analysis. Type S: of the findings, the share
    whose estimate is below 1. Type M: of the findings, the mean estimate over the truth. Passed: the power at the plan's
    ``no_excess_below`` is at least the plan's ``power``. Cost: draws × strikes for each of some fourteen ratios.
    """
    plan = at.plan
    near = Decay("disc", plan.verdict.ratio_radius_m).field(at.design.sites, at.design.grid)
    (absorbed,) = window_means(near, at.design.grid, [plan.primary.bandwidth_m])
    base = at.scores(at.planned).simulated[0]
    drawn = {}
    for ratio in sorted({*RATIOS, plan.verdict.no_excess_below}):
        places = Places(at, tilted(at.null, near, absorbed, ratio))
        drawn[ratio] = at.scores(at.planned, places=places).simulated[0]
    # the score rises with the ratio; draws share their chance, so medians that fall do so by their Monte Carlo error only
    medians = np.maximum.accumulate([float(np.median(scores)) for scores in drawn.values()])
    logs = np.log(list(drawn))
    rows: list[dict[str, Any]] = []
    level, side = plan.primary.level, plan.primary.alternative
    low, high = np.quantile(base, [level, 1 - level]) if side != "two-sided" else np.quantile(base, [level / 2, 1 - level / 2])
    for ratio, scores in drawn.items():
        found = (scores > high) if side == "closer" else (scores < low) if side == "farther" else (scores > high) | (scores < low)
        estimate = np.exp(np.interp(scores[found], medians, logs))
        wrong = (estimate < 1) if ratio >= 1 else (estimate > 1)
        rows.append({"ratio": ratio, "power": float(found.mean()), "type_s": float(wrong.mean()) if found.any() else None,
                     "type_m": float(estimate.mean() / ratio) if found.any() else None})  # fmt: skip
    at_limit = next(row for row in rows if row["ratio"] == plan.verdict.no_excess_below)
    passed = bool(at_limit["power"] >= plan.verdict.power)
    over = "" if at_limit["type_m"] is None else f", and a finding overstates it {at_limit['type_m']:.1f} times on average"
    said = (
        f"An excess of {at_limit['ratio']:g} is found with probability {at_limit['power']:.2f}{over}; the smallest excess found with "
        f"probability {excess.power:g} is {excess.detectable:.2f}."
    )
    return CheckResult("power", "There are too few strikes to see an excess that matters, or to size it.", passed, tuple(rows), said)


def calibrated(at: Scene, calibration: Calibration | None) -> CheckResult:
    """Say whether the very test used was measured, at the very number of strikes used."""
    name, threat = "calibration", "The test rejects more often than its level when nothing is there."
    if calibration is None or not calibration.covers(at.plan):
        return CheckResult(name, threat, None, (), "The size of this test has not been measured for this plan.")
    here = at.plan.primary.bandwidth_m
    rows = tuple(row for row in calibration.rows if row["bandwidth_m"] == here)
    n = int((at.study.strikes.frame["selection"] == "systematic").sum())
    if calibration.n_strikes != n:
        measured = "an unknown number of" if calibration.n_strikes is None else str(calibration.n_strikes)
        return CheckResult(name, threat, None, rows, f"The size was measured at {measured} strikes, and there are {n}.")
    worst = calibration.worst_size(here)
    passed = worst <= calibration.bound
    side = "within" if passed else "above"
    said = f"The largest measured size is {worst:.3f} at {n} strikes, {side} the bound of {calibration.bound:.3f}."
    return CheckResult(name, threat, passed, rows, said)
