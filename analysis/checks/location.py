"""Location error: strikes moved within their error, and positions rounded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..inference import format_p
from ..null import Rng, replicate_rng, seed_sequence
from .scene import CheckResult, Scene, in_parts

Array = NDArray[np.float64]
Index = NDArray[np.intp]
IMPUTATIONS = 200


def location_error(at: Scene, *, rng: Rng) -> CheckResult:
    """Move each strike by its location error and by more, many times, and find the error at which the answer changes.

    Each imputation gives a p-value with positions taken as exact; the median is reported. Moving a reported position adds error to it
    rather than taking it away, so an excess fades: the break-even says how much. Cost: imputations × strikes for each error.
    """
    points, grid = at.design.points, at.design.grid
    kind = np.zeros(points.n, np.intp)
    phi = at.phi(at.decay, at.estimator, errors=np.zeros(1))
    exact = at.scores(phi, kind=kind)
    seed = seed_sequence(rng)

    def moved(sigma: Array) -> Iterator[Index]:
        for part in in_parts(IMPUTATIONS, 2 * points.n):
            noise = np.array([replicate_rng(seed, k).standard_normal((2, points.n)) for k in part])
            yield grid.inside_cell(points.easting + sigma * noise[:, 0], points.northing + sigma * noise[:, 1])

    table, broken = [], None
    for extra in (0.0, *at.plan.checks.errors_m):
        scores = at.scores(phi, kind=kind, places=moved(np.hypot(at.design.uncertainty, extra))).simulated[0]
        p = at.alike([at.p(value, exact.simulated[0]) for value in scores])
        stands = bool(at.stands(np.median(p)))
        broken = extra if not stands and broken is None else broken
        table.append({"added_error_m": extra, "median_p": float(np.median(p)), "share_standing": float(at.stands(p).mean()),
                      "stands": stands})  # fmt: skip
    last = at.plan.checks.errors_m[-1]
    edge = f"break-even: an added error of {broken:g} m on each axis" if broken else f"no added error up to {last:g} m changes the answer"
    said = (
        f"With strikes moved by their own location error, the median p of {IMPUTATIONS} imputations is "
        f"{format_p(table[0]['median_p'])}; {'the recorded error alone changes the answer' if broken == 0.0 else edge}. "
        f"With positions taken as exact, p = {format_p(float(at.alike(exact.p)[0]))}."
    )
    return CheckResult("location error", "Positions are too coarse for the finding.", broken != 0.0, tuple(table), said)


def coarse_positions(at: Scene) -> CheckResult:
    """Round the positions of data and draws to squares, as a source that gives few digits does.

    The answer should stand for squares no larger than the decay's scale; wider ones hide what is near.
    """
    grid = at.design.grid
    e, n = (c.ravel() for c in grid.centres)
    table = []
    for side in at.plan.checks.coarse_m:
        snap = grid.inside_cell(
            grid.west + (np.floor((e - grid.west) / side) + 0.5) * side, grid.south + (np.floor((n - grid.south) / side) + 0.5) * side
        )
        p = float(at.alike(at.scores(at.planned, cells=snap[at.cells], places=(snap[part] for part in at.places)).p)[0])
        table.append({"square_m": side, "p_value": p, "stands": bool(at.stands(p)), "counts": side <= at.decay.scale})
    bad = [row for row in table if row["counts"] and not row["stands"]]
    listed = ", ".join(f"{row['square_m']:g} m (p = {format_p(row['p_value'])})" for row in bad)
    said = (
        f"Rounded to squares of {listed}, p is {at.other_side} the level."
        if bad
        else f"Rounding positions to squares of up to {at.decay.scale:g} m leaves the answer as it is."
    )
    threat = "The finding hangs on more digits than the source's positions carry."
    return CheckResult("coarse positions", threat, not bad, tuple(table), said)
