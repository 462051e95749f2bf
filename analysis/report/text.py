"""Sentences and number formats of the report: every number comes from the results."""

from __future__ import annotations

from typing import Any

from ..checks.calibration import MUST_HOLD
from ..inference import format_p

HEADLINES = {
    "excess": "Strikes fall near {sites} more often than the baseline predicts.",
    "no excess": "No excess of strikes near {sites} was found, and one of {limit} or more is ruled out at the level of the test.",
    "not informative": "These data do not decide whether strikes fall near {sites} more often than the baseline predicts.",
}
# where each number of the page comes from: its key in results.json, the function that made it, and the part of the page with its events
TRACE = tuple(
    dict(zip(("id", "number", "key", "made_by", "anchor", "source"), row, strict=True))
    for row in (
        ("verdict", "verdict and what overturns it", "verdict", "analysis/checks/verdict.py verdict", "threats", "the tests and checks"),
        ("primary", "p, statistic and draws of the primary test", "primary", "analysis/proximity/score.py score_test", "events", "strikes near"),
        ("excess", "excess ratio and interval", "excess.ratio", "analysis/proximity/excess.py excess_ratio", "events", "strikes near"),
        ("detectable", "smallest excess that could have been seen", "excess.detectable", "analysis/proximity/excess.py excess_ratio", "size", "draws"),
        ("located", "located strikes and attacks", "study.located", "analysis/proximity/design.py build_design", "data", "steps from file to test"),
        ("sites", "sites tested", "study.sites_tested", "analysis/proximity/design.py tested_sites", "where", "the map"),
        ("size", "size and power", "calibration", "analysis/checks/calibration.py calibrate", "size", "simulated worlds"),
        ("curve", "ratio along the radius, its envelope", "curve", "analysis/proximity/curve.py ratio_curve", "tests", "the tests"),
        ("counts", "strikes by radius", "counts", "analysis/proximity/count.py count_within, weighted_count", "events", "strikes near"),
        ("looks", "every decay and radius looked at", "looks", "analysis/inference/ledger.py ledger", "tests", "the tests"),
        ("elsewhere", "one place among many", "elsewhere", "analysis/proximity/look_elsewhere.py look_elsewhere", "elsewhere", "one among many"),
        ("baselines", "result along the baseline", "baselines", "analysis/checks/treatments.py baselines", "baselines", "baselines"),
        ("timing", "questions of time", "timing", "analysis/timing/when.py when", "when", "when"),
        ("claims", "claims and likelihood ratios", "explanations", "analysis/aim/claims.py explain", "claims", "the claims"),
        ("checks", "checks", "checks", "analysis/checks/threats.py run_checks", "threats", "threats"),
        ("near", "strikes near and held out, with their sources", "near, held_out", "analysis/proximity/events.py near_events", "events", "sources"),
    )
)  # fmt: skip


def plural(word: str) -> str:
    """Give the plural of the plan's word for a site: facility, facilities; church, churches; hospital, hospitals."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


def _sites(results: dict[str, Any]) -> str:
    return plural(results["plan"]["site_word"])


def headline(results: dict[str, Any]) -> str:
    """Give the answer in one sentence, with a warning where the report lists what overturns it."""
    found, limit = results["verdict"], results["plan"]["verdict"]["no_excess_below"]
    said = HEADLINES[found["answer"]].format(sites=_sites(results), limit=f"{limit:g}")
    return said + (" The finding is fragile." if found["fragile"] else "")


def number(value: Any, digits: int = 2) -> str:
    """Write a number with fixed decimals; a missing one as a dash, infinity as such."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return {"inf": "∞", "-inf": "−∞"}.get(value, value)
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−")


def ratio(value: float) -> str:
    """Write a likelihood ratio with three digits; one below 1 as a fraction."""
    if not 1e-6 <= value <= 1e6:
        return "over 1,000,000" if value > 1 else "under 1/1,000,000"
    more = max(value, 1 / value)
    text = f"{more:,.0f}" if more >= 100 else f"{more:.3g}"
    return text if value >= 1 or text == "1" else f"1/{text}"


def percent(value: float, digits: int = 0) -> str:
    """Write a share as a percentage."""
    return f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


def interval(low: Any, high: Any, digits: int = 2) -> str:
    """Write an interval."""
    return f"{number(low, digits)} to {number(high, digits)}"


def measured_sizes(results: dict[str, Any]) -> dict[float, float]:
    """Give, for each bandwidth, the largest measured size of the plan's test over the worlds in which it must hold; empty if not measured."""
    sizes: dict[float, float] = {}
    for row in (results["calibration"] or {"rows": ()})["rows"]:
        if row["truth"] in MUST_HOLD:
            sizes[row["bandwidth_m"]] = max(sizes.get(row["bandwidth_m"], 0.0), row["share"])
    return sizes


def answer(results: dict[str, Any]) -> str:
    """State the estimate, its interval, p and what could have been seen."""
    study, excess, primary, plan = results["study"], results["excess"], results["primary"], results["plan"]
    power = number(excess["power"], 1)
    seen = f"An excess of {number(excess['detectable'])} would have been found with probability {power}."
    if excess["detectable"] == "inf":
        seen = f"No excess that was tried would have been found with probability {power}."
    return (
        f"Within {number(excess['radius'], 0)} m of {study['sites_tested']} {_sites(results)}, the intensity of strikes is estimated at "
        f"{number(excess['ratio'])} times the baseline ({percent(excess['level'])} interval {interval(*excess['interval'])}). "
        f"The primary test gives p = {format_p(primary['p_value'])} (alternative: {primary['alternative']}; "
        f"{number(primary['n_simulations'], 0)} draws from the null, seed {plan['seed']}). {seen}"
    )


def _entered(results: dict[str, Any]) -> str:
    """Say which strikes enter the test."""
    held = ", those that prompted the study held out" if results["held_out"] else ""
    return f"located to {number(results['plan']['strikes']['located_max_m'], 0)} m or better{held}"


def quotable(results: dict[str, Any]) -> str:
    """Give a sentence that can be quoted and says no more than was found."""
    study, excess, primary, plan = results["study"], results["excess"], results["primary"], results["plan"]
    size = measured_sizes(results).get(plan["primary"]["bandwidth_m"])
    nominal = percent(plan["primary"]["level"])
    checked = (
        f"whose size was not measured (nominal: {nominal})"
        if size is None
        else f"whose measured size is at most {percent(size, 1)} (nominal: {nominal}) where nearness does not change which strikes are located"
    )
    return (
        f"Of {study['strikes']} strikes on {study['name']} from {study['first_date']} to {study['last_date']}, {study['located']} in "
        f"{study['located_attacks']} attacks were tested ({_entered(results)}); their weighted intensity within "
        f"{number(excess['radius'], 0)} m of {study['sites_tested']} {_sites(results)} is estimated at {number(excess['ratio'])} times "
        f"({percent(excess['level'])} interval {interval(*excess['interval'])}) the baseline, by inverting a test that refits a kernel of "
        f"{number(plan['primary']['bandwidth_m'], 0)} m in every draw, and this test, {checked}, gave p = "
        f"{format_p(primary['p_value'])} (alternative: {primary['alternative']}). This is not a statement about intent."
    )


def limits(results: dict[str, Any]) -> list[str]:
    """List what the result does not show."""
    study, excess, held = results["study"], results["excess"], results["held_out"]
    error = study["site_uncertainty_max_m"]
    placed = f"; the {_sites(results)} themselves are placed to {number(error, 0)} m at worst" if error else ""
    site, aimed = results["plan"]["site_word"], study["sites_near_aim_points"]
    beside = (
        "; places that could themselves have been aimed at were not given"
        if aimed is None
        else f": {aimed} of the {study['sites_tested']} {_sites(results)} stand within {number(excess['radius'], 0)} m of a place that could "
        "itself have been aimed at"
    )
    lines = [
        f"It does not show intent. Nearness is predicted by aim at the {site}, by aim at something beside it, by debris, by wrong "
        "coordinates and by chance in a dense centre; this test does not choose among them.",
        f"It does not tell a {site} from what stands beside it{beside}.",
    ]
    if held:
        lines.append(
            f"It does not speak about the {len(held)} {'strike' if len(held) == 1 else 'strikes'} that prompted it: they were held out, "
            "because they were chosen for being near."
        )
    lines += [
        f"It rests on {study['located']} of {study['strikes']} strikes: those {_entered(results)}. Weights make up for areas and periods in which "
        f"fewer are located (they leave the worth of {number(study['effective_n'], 0)} equal strikes), not for a press that names places "
        f"near {_sites(results)} more readily than others of the same area.",
        f"It says nothing about distances finer than the positions: the median error of a located strike is "
        f"{number(study['uncertainty_median_m'], 0)} m on each axis, and some are known only to {number(study['uncertainty_max_m'], 0)} m{placed}.",
    ]
    low, times = excess["interval"][0], excess["ratio"]
    if isinstance(times, float) and times > 1:
        lower = f", and {number(low)} times for its lower limit" if low > 1 else "; its lower limit is 1 or less as it is"
        lines.append(
            f"Break-even: if strikes near {_sites(results)} were {number(times)} times likelier to get a street-level report, "
            f"the excess would vanish{lower}."
        )
    return lines
