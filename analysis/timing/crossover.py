"""Case-crossover: do strikes near a mission follow dated diplomatic events that concern it?

References
----------
Maclure, M. (1991). The case-crossover design. American Journal of Epidemiology 133, 144-153. Janes, H., Sheppard, L. & Lumley, T. (2005).
Case-crossover analyses of air pollution exposure data: referent selection strategies. Epidemiology 16, 717-726 (time-stratified).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError
from .answer import DAY, Answer, NotIdentifiable, Ratio, as_days, in_period

NAME = "strikes after diplomatic events"


def crossover_test(
    date: Any, unit: ArrayLike, event_date: Any, event_unit: ArrayLike,
    *, window_days: int, start: Any, end: Any, n_simulations: int, rng: Rng, level: float = 0.95,
) -> Answer:  # fmt: skip
    """Compare the day of each case with the days of the same weekday and month: was an event within the days before it?

    Answers: are strikes near a state's missions likelier in the days after an event that concerns it? An event that answers a strike
    (a protest, a summons) is no cause of it and does not belong in the table.

    Parameters
    ----------
    date, unit : (n,) arrays
        Day and unit (state or mission) of each case: an attack near that unit, counted once.
    event_date, event_unit : (m,) arrays
        Day of each event and the unit it concerns.
    window_days : int
        A day is exposed from an event's own day to ``window_days`` − 1 later.
    start, end
        First and last day observed: control days are taken from no others.

    Returns
    -------
    Ratio or NotIdentifiable
        Odds ratio of the conditional likelihood, Wald interval; p by moving every event to a random day of its own weekday and month, with
        the score as statistic, two-sided. Infinite or zero where all or none of the discordant cases were exposed.

    Notes
    -----
    A set gives information only if some of its days are exposed and some are not. With e of m days exposed the case is exposed with
    probability eψ / (eψ + m − e). Cost: n_simulations × cases × events.
    """
    days, first, last = in_period(date, start, end)
    events, units, about = as_days(event_date, "event_date"), np.asarray(unit, object), np.asarray(event_unit, object)
    if len(units) != len(days) or len(about) != len(events):
        raise InputError("every case and every event needs a day and a unit", value=(len(days), len(units), len(events), len(about)))
    if window_days < 1 or n_simulations < 19:
        raise InputError("window_days must be at least 1, n_simulations at least 19", value=(window_days, n_simulations))
    weeks = np.arange(-4, 5) * 7 * DAY
    day = days[:, None] + weeks
    in_set = (day.astype("datetime64[M]") == days.astype("datetime64[M]")[:, None]) & (day >= first) & (day <= last)
    concerns = units[:, None] == about[None, :]

    def exposure(at: Any) -> Any:
        """Give which days of each set follow an event, (cases, 9)."""
        lag = (day[:, :, None] - at) / DAY
        return ((lag >= 0) & (lag < window_days) & concerns[:, None, :]).any(axis=2) & in_set

    size = in_set.sum(axis=1)
    exposed = exposure(events)
    e, case = exposed.sum(axis=1), exposed[:, 4]
    use = (e > 0) & (e < size)
    if not use.any():
        return NotIdentifiable(NAME, f"no case of {len(days)} has both days after an event and other days to be compared with")
    score = float((case - e / size).sum())
    seed, others = seed_sequence(rng), events[:, None] + weeks
    allowed = (others.astype("datetime64[M]") == events.astype("datetime64[M]")[:, None]) & (others >= first) & (others <= last)
    simulated = np.empty(n_simulations)
    for k in range(n_simulations):
        chosen = np.where(allowed, replicate_rng(seed, k).random(allowed.shape), -1.0).argmax(axis=1)
        drawn = exposure(others[np.arange(len(events)), chosen])
        simulated[k] = (drawn[:, 4] - drawn.sum(axis=1) / size).sum()
    p = (1 + int((np.abs(simulated) >= abs(score) - 1e-9).sum())) / (1 + n_simulations)
    logit, hits = np.log(e[use] / (size - e)[use]), float(case[use].sum())
    beside = {"discordant": float(use.sum()), "exposed": hits, "n_simulations": float(n_simulations)}
    how = "conditional likelihood; p by moving events within weekday and month"
    if hits in (0.0, float(use.sum())):
        return Ratio(NAME, float("inf") if hits else 0.0, (0.0, float("inf")), level, p, len(days), how, beside)
    beta = float(brentq(lambda b: expit(b + logit).sum() - hits, -50, 50))
    chance = expit(beta + logit)
    reach = float(norm.ppf(0.5 + level / 2) / np.sqrt((chance * (1 - chance)).sum()))
    return Ratio(NAME, float(np.exp(beta)), (float(np.exp(beta - reach)), float(np.exp(beta + reach))), level, p, len(days), how, beside)
