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
    said = f"p = {format_p(primary.p_value)}"
    if primary.p_value <= level:
        return Verdict("excess", f"The primary test gives {said}, at or below the level of {level:g}.")
    high = excess.interval[1]
    if high < rules.no_excess_below:
        return Verdict(
            "no excess",
            f"The primary test gives {said}, above the level of {level:g}, and the interval of the excess ratio ends at "
            f"{high:.2f}, below {rules.no_excess_below:g}.",
        )
    return Verdict(
        "not informative",
        f"The primary test gives {said}, above the level of {level:g}, but the interval of the excess ratio reaches "
        f"{high:.2f}, so that an excess of {rules.no_excess_below:g} is not excluded.",
    )
