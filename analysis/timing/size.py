"""The size of the tests of time in simulated worlds of salvos, with attacks and with strikes as units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.stats import binom
from shapely.geometry import box

from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError, PointPattern, Window
from .answer import DAY, Answer, NotIdentifiable
from .crossover import crossover_test
from .hawkes import excitation_test
from .knox import knox_test, mantel_test
from .notification import exact_notification_test, interrupted_series, notification_test
from .rates import rate_ratio_test

LEVEL, SIDE_M, SPREAD_M = 0.05, 10_000.0, 400.0
START, N_DAYS, N_ATTACKS, MEAN_MORE, N_UNITS, TOGETHER = np.datetime64("2022-02-24"), 1300, 80, 3.0, 10, 0.7


def _world(rng: Generator) -> tuple[Any, ...]:
    """Draw attacks on random days; 1 + Poisson strikes each, around one place and, mostly, near one of ten sites. Nothing else happens."""
    day = np.sort(rng.choice(N_DAYS, N_ATTACKS, replace=False))
    attack = np.repeat(np.arange(N_ATTACKS), 1 + rng.poisson(MEAN_MORE, N_ATTACKS))
    place = rng.uniform(0, SIDE_M, (N_ATTACKS, 2))[attack] + rng.normal(0, SPREAD_M, (len(attack), 2))
    xy = np.abs(SIDE_M - np.abs(SIDE_M - place))  # reflected at the edges
    with_others = rng.random(len(attack)) < TOGETHER
    unit = np.where(with_others, rng.integers(N_UNITS, size=N_ATTACKS)[attack], rng.integers(N_UNITS, size=len(attack)))
    return day, attack, xy, unit


def timing_study(worlds: int, rng: Rng, *, n_simulations: int = 199) -> dict[str, Any]:
    """Measure how often each test rejects at 5 % where nothing happens but salvos, with attacks and, beside it, with strikes as units.

    Parameters
    ----------
    worlds : int
        World k draws from the spawn key k. Cost: about 0.4 s a world, on one core.

    Returns
    -------
    dict
        The setting, ``bound`` (a share above it would come up in under 1 % of such studies if the size were 5 %), and ``rows``: test,
        units, worlds in which the test gave an answer, rejected, share of these.
    """
    if worlds < 1:
        raise InputError("must be at least 1", column="worlds", value=worlds)
    seed, tally = seed_sequence(rng), dict[tuple[str, str], list[int]]()

    def enter(test: str, units: str, found: Any, p: float | None = None) -> None:
        said = tally.setdefault((test, units), [0, 0])
        if not isinstance(found, NotIdentifiable):
            said[0] += 1
            said[1] += (found.p_value if p is None else p) <= LEVEL

    window, end, change = Window(box(0, 0, SIDE_M, SIDE_M)), START + (N_DAYS - 1) * DAY, START + N_DAYS // 2 * DAY
    for k in range(worlds):
        draw = replicate_rng(seed, k)
        day, attack, xy, unit = _world(draw)
        points, date, when = PointPattern(xy[:, 0], xy[:, 1], window), START + day[attack] * DAY, START + day * DAY
        test = dict[str, Any](n_simulations=n_simulations, rng=int(draw.integers(2**32)))
        period = dict[str, Any](start=START, end=end)
        notified = {0: change, 1: change, 2: change}
        for units, label in (("attacks", attack), ("strikes", np.arange(len(attack)))):
            once = np.unique(label, return_index=True)[1]
            late, half = int((date[once] >= change).sum()), N_DAYS / 2
            enter("rate ratio", units, rate_ratio_test(late, half, len(once) - late, half))
            did: Answer = notification_test(date, label, unit, notified, **period)
            enter("notification, Wald", units, did)
            if not isinstance(did, NotIdentifiable):
                enter("notification, score", units, did, did.beside["p_score"])
                enter("notification, placebo dates", units, did, did.beside["p_placebo"])
            enter("notification, exact", units, exact_notification_test(date, label, unit, notified, **period))
            near = dict[str, Any](distance=500.0, interval=14.0, blocks=None if units == "strikes" else attack)
            enter("Knox", units, knox_test(points, date, **near, **test))
            enter("Mantel", units, mantel_test(points, date, **near, **test))
            jump = interrupted_series(date[once], change, **period)
            enter("interrupted series", units, jump)
            if not isinstance(jump, NotIdentifiable):
                enter("interrupted series, HAC errors alone", units, jump, jump.beside["p_hac"])
            cases = np.unique(np.column_stack([attack, unit, np.zeros(len(attack), int) if units == "attacks" else once]), axis=0)
            events = START + draw.integers(0, N_DAYS, 12) * DAY
            enter("case-crossover", units, crossover_test(when[cases[:, 0]], cases[:, 1], events, draw.integers(N_UNITS, size=12),
                                                          window_days=7, **period, **test))  # fmt: skip
            enter("self-excitation", units, excitation_test(day[attack[once]] + 0.5, N_DAYS, **test))
    rows = [
        {"test": name, "units": units, "worlds": n, "rejected": r, "share": r / n if n else None} for (name, units), (n, r) in tally.items()
    ]
    bound = float(binom.ppf(0.99, worlds, LEVEL) / worlds)
    setting = {"days": N_DAYS, "attacks": N_ATTACKS, "strikes_an_attack": 1 + MEAN_MORE, "sites": N_UNITS, "sites_notified": 3,
               "worlds": worlds, "n_simulations": n_simulations, "seed": str(seed.entropy)}  # fmt: skip
    return {"setting": setting, "level": LEVEL, "bound": bound, "rows": rows}
