"""All threats, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..inference import TestResult
from ..pattern import Plan, Study
from ..proximity import ExcessResult
from .calibration import Calibration
from .leave_out import leave_out, prompting_events
from .location import coarse_positions, location_error
from .multiverse import multiverse
from .pieces import Pieces
from .placebo import placebo_dates, placebo_sites
from .power import calibrated, power
from .reporting import break_even, capture_recapture, sources
from .scene import CheckResult, scene
from .treatments import Run, bandwidths, monte_carlo_error, treatments, two_sided
from .units import clustering, coverage, duplicates, edges, opening_dates, unit_choice


def run_checks(
    study: Study,
    plan: Plan,
    run: Run,
    primary: TestResult,
    excess: ExcessResult,
    variants: Sequence[dict[str, Any]],
    baselines: Sequence[dict[str, Any]],
    calibration: Calibration | None,
    *,
    pieces: Pieces,
) -> list[CheckResult]:
    """Put every threat to the answer.

    Parameters
    ----------
    study, plan, run, primary, excess, variants, baselines, calibration
        As :func:`analysis.assess` makes them.
    pieces : Pieces
        Computes each check, or takes it from an interrupted run.

    Notes
    -----
    The checks draw from spawn key (9,) of the plan's seed, those with chance of their own from (9, step): none depends on another.
    """
    at = scene(study, plan, primary.p_value, rng=run.seed(9))
    radius = plan.verdict.ratio_radius_m
    todo: list[tuple[str, Callable[[], CheckResult]]] = [
        ("seeds", lambda: monte_carlo_error(plan, primary)),
        ("treatments", lambda: treatments(plan, primary, variants)),
        ("bandwidths", lambda: bandwidths(plan, primary, baselines, calibration)),
        ("two-sided interval", lambda: two_sided(plan, primary, excess)),
        ("specification curve", lambda: multiverse(at)),
        ("prompting events", lambda: prompting_events(at)),
        ("leave one out", lambda: leave_out(at)),
        ("placebo sites", lambda: placebo_sites(at, rng=run.seed(9, 1))),
        ("placebo dates", lambda: placebo_dates(at)),
        ("location error", lambda: location_error(at, rng=run.seed(9, 2))),
        ("coarse positions", lambda: coarse_positions(at)),
        ("reporting", lambda: break_even(at, excess)),
        ("sources", lambda: sources(at, radius)),
        ("capture-recapture", lambda: capture_recapture(at, excess)),
        ("clustering", lambda: clustering(at)),
        ("unit choice", lambda: unit_choice(at)),
        ("duplicates", lambda: duplicates(at)),
        ("coverage over time", lambda: coverage(at)),
        ("edges", lambda: edges(at)),
        ("opening and closing", lambda: opening_dates(at)),
        ("power", lambda: power(at, excess)),
        ("calibration", lambda: calibrated(at, calibration)),
    ]
    return pieces([(f"check: {name}", check, CheckResult) for name, check in todo])
