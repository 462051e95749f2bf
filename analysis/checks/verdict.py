"""The verdict: excess, no excess or not informative, by the rules in the plan, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..inference import TestResult, format_p, to_json
from ..pattern import Plan
from ..proximity import ExcessResult
from .calibration import Calibration


@dataclass(frozen=True)
class Verdict:
    """Hold the answer, the rule that gave it and what the failed checks say. It is never a probability of intent."""

    answer: str
    rule: str
    fragile: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))


def verdict(plan: Plan, primary: TestResult, excess: ExcessResult, effective_n: float, calibration: Calibration | None) -> Verdict:
    """Apply the rules: enough strikes, a measured size that holds, then the primary test, then the upper limit.

    A rejection because strikes keep away from sites ("farther", or two-sided with a ratio below 1) is no excess; the upper limit decides.

    Parameters
    ----------
    plan : Plan
    primary : TestResult
    excess : ExcessResult
    effective_n : float
        Kish's effective number of located strikes.
    calibration : Calibration, optional
        The measured size of the plan's test.
    """
    rules, level = plan.verdict, plan.primary.level
    if effective_n < rules.min_effective_n:
        return Verdict("not informative", f"{effective_n:.0f} effective located strikes are fewer than {rules.min_effective_n:g}.")
    if calibration is None or not calibration.covers(plan):
        how = "make calibrate, or --worlds for your own files"
        return Verdict("not informative", f"The size of this test has not been measured for this plan ({how}).")
    worst = calibration.worst_size(plan.primary.bandwidth_m)
    if worst > calibration.bound:
        return Verdict("not informative", f"The test's measured size reaches {worst:.3f}, above the bound of {calibration.bound:.3f}.")
    high = excess.interval[1]
    said = f"The primary test gives p = {format_p(primary.p_value)}"
    side = f"above the level of {level:g}"
    if primary.p_value <= level:
        if primary.alternative == "closer" or (primary.alternative == "two-sided" and excess.ratio > 1):
            return Verdict("excess", f"{said}, at or below the level of {level:g}.")
        side = f"at or below the level of {level:g} for strikes that keep away from sites"
    if high < rules.no_excess_below:
        ends = f"the interval of the excess ratio ends at {high:.2f}, below {rules.no_excess_below:g}"
        return Verdict("no excess", f"{said}, {side}, and {ends}.")
    reaches = f"the interval of the excess ratio reaches {high:.2f}, so that an excess of {rules.no_excess_below:g} is not excluded"
    return Verdict("not informative", f"{said}, {side}, but {reaches}.")
