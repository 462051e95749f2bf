"""Case-crossover: do strikes near a mission follow dated diplomatic events that concern it?

References
----------
Maclure, M. (1991). The case-crossover design. American Journal of Epidemiology 133, 144-153. Janes, H., Sheppard, L. & Lumley, T. (2005).
Case-crossover analyses of air pollution exposure data: referent selection strategies. Epidemiology 16, 717-726 (time-stratified).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError
from .answer import DAY, Answer, Days, NotIdentifiable, Ratio, as_days, in_period

NAME = "strikes after diplomatic events"
WEEKS = np.arange(-4, 5) * 7 * DAY


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
        Odds ratio ψ of the conditional likelihood, in which a case with e of m days exposed is exposed with probability
        eψ / (eψ + m − e); Wald interval. Two-sided p by moving every event to a random day of its own weekday and month, the score as
        statistic; an event outside the period stays where it is. Infinite or zero where all or no discordant cases were exposed.

    Raises
    ------
    InputError
        For a value that is no date, a case outside the period, a day without a unit, no exposed days, or fewer than 19 simulations.

    Notes
    -----
    Cost: n_simulations × cases × events.
    """
    days, first, last = in_period(date, start, end)
    events, units, about = as_days(event_date, "event_date"), np.asarray(unit, object), np.asarray(event_unit, object)
    if len(units) != len(days) or len(about) != len(events):
        raise InputError("every case and every event needs a day and a unit", value=(len(days), len(units), len(events), len(about)))
    if window_days < 1 or n_simulations < 19:
        raise InputError("window_days must be at least 1, n_simulations at least 19", value=(window_days, n_simulations))

    def stratum(of: Days) -> tuple[Any, NDArray[np.bool_]]:
        """Give the days up to four weeks from each, and which of them are of its month and in the period."""
        day = of[:, None] + WEEKS
        return day, (day.astype("datetime64[M]") == of.astype("datetime64[M]")[:, None]) & (day >= first) & (day <= last)

    day, in_set = stratum(days)
    size, concerns = in_set.sum(axis=1), (units[:, None] == about)[:, None, :]

    def exposure(at: Any) -> Any:
        lag = (day[:, :, None] - at) / DAY
        return ((lag >= 0) & (lag < window_days) & concerns).any(axis=2) & in_set

    def score(exposed: Any) -> float:
        return float((exposed[:, 4] - exposed.sum(axis=1) / size).sum())

    exposed = exposure(events)
    use = (exposed.sum(axis=1) > 0) & (exposed.sum(axis=1) < size)
    if not use.any():
        return NotIdentifiable(NAME, f"no case of {len(days)} has both days after an event and other days to be compared with")
    seed, (others, allowed), simulated = seed_sequence(rng), stratum(events), np.empty(n_simulations)
    allowed[~allowed[:, 4]] = np.arange(len(WEEKS)) == 4  # outside the period an event keeps its day: none in it could be its own
    for k in range(n_simulations):
        chosen = np.where(allowed, replicate_rng(seed, k).random(allowed.shape), -1.0).argmax(axis=1)
        simulated[k] = score(exposure(others[np.arange(len(events)), chosen]))
    p = (1 + int((np.abs(simulated) >= abs(score(exposed)) - 1e-9).sum())) / (1 + n_simulations)
    e, n, hits = exposed[use].sum(axis=1), int(use.sum()), int(exposed[use, 4].sum())
    ratio, low, high = float("inf") if hits else 0.0, 0.0, float("inf")
    if 0 < hits < n:
        logit = np.log(e / (size[use] - e))
        beta = float(brentq(lambda b: expit(b + logit).sum() - hits, -50, 50))
        chance = expit(beta + logit)
        reach = float(norm.ppf(0.5 + level / 2) / np.sqrt((chance * (1 - chance)).sum()))
        ratio, low, high = map(float, np.exp([beta, beta - reach, beta + reach]))
    beside = {"discordant": float(n), "exposed": float(hits), "n_simulations": float(n_simulations)}
    return Ratio(NAME, ratio, (low, high), level, p, len(days), "conditional likelihood; p by moving the events", beside)
