"""The verdict: excess, no excess or not informative, by the rules in the plan, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import beta

from ..inference import TestResult, format_p, to_json
from ..pattern import Plan
from ..proximity import ExcessResult
from .calibration import Calibration


@dataclass(frozen=True)
class Verdict:
    """Hold the answer, the rule that gave it and what would overturn it. It is never a probability of intent."""

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
        return Verdict("not informative", "The size of this test has not been measured for this plan (make calibrate).")
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


def fragility(
    plan: Plan,
    primary: TestResult,
    excess: ExcessResult,
    variants: Sequence[dict[str, Any]],
    baselines: Sequence[dict[str, Any]],
    calibration: Calibration | None,
) -> tuple[str, ...]:
    """List what puts the primary test on the other side of its level: other seeds, treatments and bandwidths; and an interval that holds 1.

    Parameters
    ----------
    plan, primary, excess, calibration
        As for :func:`verdict`.
    variants : rows with variant, treatment, p_value
        Only other treatments of the same strikes count (``treatment`` true).
    baselines : rows with baseline, bandwidth_m, p_value
        Only kernel bandwidths whose measured size stays within the bound count.

    Returns
    -------
    tuple of sentences, empty where nothing overturns it.
    """
    level, draws = plan.primary.level, primary.n_simulations
    rejects, said = primary.p_value <= level, []
    k = round(primary.p_value * (draws + 1)) - 1  # Clopper–Pearson for k of the draws
    low = float(beta.ppf(0.025, k, draws - k + 1)) if k else 0.0
    high = float(beta.ppf(0.975, k + 1, draws - k)) if k < draws else 1.0
    if low <= level < high:
        said.append(
            f"The p-value is itself an estimate from {draws:,} draws: with other seeds it would lie between {format_p(low)} and "
            f"{format_p(high)} (95 %), on either side of the level."
        )
    other = [row for row in variants if row["treatment"] and (row["p_value"] <= level) != rejects]
    held = [
        row
        for row in baselines
        if calibration is not None
        and row["bandwidth_m"] not in (None, plan.primary.bandwidth_m)
        and any(r["bandwidth_m"] == row["bandwidth_m"] for r in calibration.rows)
        and calibration.worst_size(row["bandwidth_m"]) <= calibration.bound
        and (row["p_value"] <= level) != rejects
    ]
    side = "above" if rejects else "at or below"
    said += [f"With {row['variant']}, p = {format_p(row['p_value'])}, {side} the level." for row in other]
    said += [f"With the baseline {row['baseline']}, p = {format_p(row['p_value'])}, {side} the level." for row in held]
    if rejects and excess.interval[0] <= 1 <= excess.interval[1]:
        said.append(
            f"The two-sided {100 * excess.level:g} % interval of the excess ratio holds 1; the primary test looks to one side "
            f"only ({primary.alternative})."
        )
    return tuple(said)
