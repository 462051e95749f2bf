"""Was a mission struck near more often after its place was notified? Difference-in-differences, and an interrupted series.

References
----------
Bertrand, M., Duflo, E. & Mullainathan, S. (2004). How much should we trust differences-in-differences estimates? Quarterly Journal of
Economics 119, 249-275 (clusters, placebo dates). Goodman-Bacon, A. (2021). Journal of Econometrics 225, 254-277 (staggered dates).
Bernal, J. L., Cummins, S. & Gasparrini, A. (2017). Interrupted time series regression. International Journal of Epidemiology 46, 348-355.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import ArrayLike, NDArray
from scipy.stats import fisher_exact, norm
from scipy.stats.contingency import odds_ratio

from ..pattern import InputError
from .answer import DAY, Answer, Days, NotIdentifiable, Ratio, as_days, in_period

Array = NDArray[np.float64]
NEVER = np.datetime64("9999-12-31")
DIVERGED = 12.0  # a log ratio beyond this is infinite but for rounding
MIN_BINS = 6
DID, EXACT, SERIES = "notification difference-in-differences", "notification, exact", "interrupted series"


@dataclass(frozen=True, eq=False)
class _Panel:
    """Hold counts (attacks, cohorts): a cohort is the sites notified on one date; ``given`` is that date, NEVER for the rest."""

    date: Days
    count: Array
    given: Days
    start: np.datetime64
    end: np.datetime64

    def treated(self, shift: np.timedelta64 = 0 * DAY) -> NDArray[np.bool_]:
        """Say for each attack and cohort whether the place had been notified by that day, were all dates moved by ``shift``."""
        moved = np.where(self.given == NEVER, NEVER, self.given + shift)
        return self.date[:, None] >= moved[None, :]

    def problem(self, min_days: float) -> str:
        """Say why the effect is not identifiable; empty where it is."""
        told = self.given[self.given < NEVER]
        last = self.date.max() if len(self.date) else self.end
        if len(told) == 0:
            return "no site was notified"
        found = []
        if told.max() > last:
            found.append(f"the notification of {told.max()} comes after the last strike near a site ({last})")
        before, after = int((told.min() - self.start) / DAY), int((self.end - told.max()) / DAY) + 1
        for days, side in ((before, "before"), (after, "after")):
            if days < min_days:
                found.append(f"only {max(days, 0)} days were observed {side} the notification, fewer than the {min_days:g} asked for")
        if len(self.given) == 1:
            found.append("all sites with strikes near them were notified at once, so nothing is left to compare with")
        mine = (self.given < NEVER)[None, :] & np.ones_like(self.count, bool)
        early = self.date < told.min()
        cells = {
            "near notified sites before": mine & ~self.treated(),
            "near notified sites after": mine & self.treated(),
            "near other sites before": ~mine & early[:, None],
            "near other sites after": ~mine & ~early[:, None],
        }
        needed = cells if (self.given == NEVER).any() else list(cells)[:2]
        found += [f"no strike fell {name} the notification" for name in needed if self.count[cells[name]].sum() == 0]
        return "; ".join(found)

    def score(self, shift: np.timedelta64 = 0 * DAY) -> float:
        """Give the score of the effect at no effect, over the root of its sum of squares by attack.

        Margins by attack and cohort are conditioned on, so U = Σ D̃ y, with D̃ the treatment less its means by attack and by cohort.
        """
        total = self.count.sum()
        row, column = self.count.sum(axis=1) / total, self.count.sum(axis=0) / total
        d = self.treated(shift).astype(float)
        d = d - (d @ column)[:, None] - (row @ d)[None, :] + row @ d @ column
        by_attack = (d * self.count).sum(axis=1)
        spread = float(np.sqrt((by_attack**2).sum()))
        return float(by_attack.sum()) / spread if spread > 0 else 0.0


def _panel(date: Any, attack: ArrayLike, unit: ArrayLike, notified: Mapping[Any, Any], start: Any, end: Any) -> _Panel:
    days, first, last = in_period(date, start, end)
    labels, units = np.asarray(attack, object), np.asarray(unit, object)
    if not len(days) == len(labels) == len(units):
        raise InputError("dates, attacks and units must be of one length", value=(len(days), len(labels), len(units)))
    dates = dict(zip(notified, as_days(list(notified.values()), "notified"), strict=True)) if notified else {}
    told = np.array([dates.get(u, NEVER) for u in units], "datetime64[D]")
    given = np.unique(np.r_[told, np.array(list(dates.values()), "datetime64[D]")])
    code, names = pd.factorize(labels)
    when = np.full(len(names), NEVER)
    np.minimum.at(when, code, days)  # an attack is of the day on which it began
    count = np.zeros((len(names), len(given)))
    np.add.at(count, (code, np.searchsorted(given, told)), 1.0)
    order = np.argsort(when, kind="stable")
    return _Panel(when[order], count[order], given, first, last)


def notification_test(
    date: Any, attack: ArrayLike, unit: ArrayLike, notified: Mapping[Any, Any],
    *, start: Any, end: Any, min_days: float = 90.0, level: float = 0.95,
) -> Answer:  # fmt: skip
    """Compare strikes near notified sites, before and after, with strikes near the others.

    Answers: did strikes near a site become more or fewer once its place had been given to the attacker, beyond what they did near other
    sites? It takes for granted that both would have moved in step, and that the others were not notified. With dates that differ between
    sites one common effect is fitted; where effects grow with time that average can mislead (Goodman-Bacon).

    Parameters
    ----------
    date, attack, unit : (n,) arrays
        Of each strike near a site: its day, its attack, and the site it is near.
    notified : dict
        Day of notification by unit; a unit not named was never notified.
    start, end
        First and last day observed.
    min_days : float
        Shortest time before the first and after the last notification that is accepted.

    Returns
    -------
    Ratio or NotIdentifiable
        exp(β) of a Poisson model with effects of cohort, period and β · notified by then; errors clustered by attack. Beside it: the score
        test's p (finite at any counts), and ``p_placebo``: the share of all admissible days, moved to which the notifications show a score
        at least as large as on the true ones.

    Notes
    -----
    Attacks before and after are compared by cohort and period, so the number of attacks and of strikes in each cancels. Few attacks make
    the Wald interval too short: see :func:`exact_notification_test` and docs/timing.md. Cost: days × attacks × cohorts.

    Raises
    ------
    InputError
        For dates that are none, reversed or outside the period, or arrays of different lengths.
    """
    panel = _panel(date, attack, unit, notified, start, end)
    problem = panel.problem(min_days)
    if problem:
        return NotIdentifiable(DID, problem)
    told = panel.given[panel.given < NEVER]
    period = np.searchsorted(told, panel.date, side="right")
    treated = panel.treated()
    rows, columns = np.indices(panel.count.shape)
    dummies = [columns == g for g in range(len(panel.given))] + [period[rows] == p for p in range(1, len(told) + 1)]
    x = np.column_stack([treated.ravel(), *(d.ravel() for d in dummies)]).astype(float)
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return NotIdentifiable(DID, "no cohort has others to be compared with at the same time")
    model = sm.GLM(panel.count.ravel(), x, family=sm.families.Poisson())
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": rows.ravel()})
    beta, (low, high) = float(fit.params[0]), fit.conf_int(1 - level)[0]
    if not (np.isfinite([beta, low, high]).all() and abs(beta) < DIVERGED):
        return NotIdentifiable(DID, "the fitted effect is infinite")
    observed = panel.score()
    earliest = int(np.ceil((panel.start - told.min()) / DAY + min_days))
    latest = int(np.floor((panel.end - told.max()) / DAY + 1 - min_days))
    placebo = np.array([panel.score(k * DAY) for k in range(earliest, latest + 1)])
    beside = {
        "attacks": float(len(panel.date)),
        "p_score": float(2 * norm.sf(abs(observed))),
        "p_placebo": float((np.abs(placebo) >= abs(observed) - 1e-9).mean()),
        "placebo_days": float(len(placebo)),
    }
    return Ratio(DID, float(np.exp(beta)), (float(np.exp(low)), float(np.exp(high))), level, float(fit.pvalues[0]),
                 int(panel.count.sum()), "Poisson, errors clustered by attack", beside)  # fmt: skip


def exact_notification_test(
    date: Any, attack: ArrayLike, unit: ArrayLike, notified: Mapping[Any, Any], *, start: Any, end: Any, level: float = 0.95
) -> Answer:
    """Compare the same four counts exactly, each attack counting once near notified sites and once near the others.

    For counts too small for :func:`notification_test`, whose parameters it takes; one date of notification only. Fisher's test of attacks
    (notified or other) × (after or before), with the conditional odds ratio: infinite or zero where a count is zero. An attack that
    strikes near both kinds of site stands in both rows of one column, which makes the rows alike and the test conservative.
    """
    panel = _panel(date, attack, unit, notified, start, end)
    told = panel.given[panel.given < NEVER]
    if len(told) != 1:
        return NotIdentifiable(EXACT, "no site was notified" if len(told) == 0 else "the dates are staggered, and the exact test takes one")
    mine, late = panel.given < NEVER, panel.date >= told[0]
    hit = np.column_stack([(panel.count[:, mine] > 0).any(axis=1), (panel.count[:, ~mine] > 0).any(axis=1)])
    table = np.array([[hit[late, g].sum(), hit[~late, g].sum()] for g in range(2)])
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        empty = np.flatnonzero(np.r_[table.sum(axis=0), table.sum(axis=1)] == 0)[0]
        where = ("after the notification", "before the notification", "near notified sites", "near other sites")[empty]
        return NotIdentifiable(EXACT, f"no strike fell {where}")
    found = odds_ratio(table)
    limits = found.confidence_interval(level)
    names = ("notified_after", "notified_before", "other_after", "other_before")
    beside = dict(zip(names, map(float, table.ravel()), strict=True))
    return Ratio(EXACT, float(found.statistic), (float(limits.low), float(limits.high)), level, float(fisher_exact(table).pvalue),
                 int(table.sum()), "conditional odds ratio and Fisher's test, attacks counted once", beside)  # fmt: skip


def interrupted_series(date: Any, change: Any, *, start: Any, end: Any, step_days: int = 28, level: float = 0.95) -> Answer:
    """Fit a level change at a date to counts by period, allowing for a trend.

    Answers: did the rate jump at the date, beyond its own trend? There is no comparison, so whatever else changed then is in it too.

    Parameters
    ----------
    date : (n,) array
        Days of the events; attacks rather than strikes.
    change, start, end
        Day of the change, first and last day observed.
    step_days : int
        Periods run backward and forward from the change; a rest at either end is left out.

    Returns
    -------
    Ratio or NotIdentifiable
        exp(level change) with a log-linear trend. Errors are HAC or quasi-Poisson, whichever are larger: HAC errors alone are too small with
        some fifty periods (docs/timing.md). Beside it: both p-values and the Pearson dispersion.
    """
    days, first, last = in_period(date, start, end)
    at, step = as_days(change, "change")[0], int(step_days)
    if step < 1:
        raise InputError("must be at least 1", column="step_days", value=step_days)
    before, after = int((at - first) / DAY) // step, (int((last - at) / DAY) + 1) // step
    if min(before, after) < MIN_BINS:
        side, bins = ("before", before) if before < after else ("after", after)
        counted = f"whole periods of {step} days {side} the change: {max(bins, 0)}"
        return NotIdentifiable(SERIES, f"{counted}, fewer than the {MIN_BINS} asked for")
    place = np.floor((days - at) / DAY / step).astype(int) + before
    count = np.bincount(place[(place >= 0) & (place < before + after)], minlength=before + after)
    empty = [side for side, part in (("before", count[:before]), ("after", count[before:])) if part.sum() == 0]
    if empty:
        return NotIdentifiable(SERIES, f"nothing happened {empty[0]} the change")
    t = np.arange(len(count)) - before
    model = sm.GLM(count, np.column_stack([t >= 0, np.ones(len(t)), t / len(t)]).astype(float), family=sm.families.Poisson())
    lags = int(4 * (len(count) / 100) ** (2 / 9))
    hac, quasi = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags}), model.fit(scale="X2")
    fit = max(hac, quasi, key=lambda one: float(one.bse[0]))
    low, high = np.exp(fit.conf_int(1 - level)[0])
    beside = {"dispersion": float(quasi.scale), "p_quasi": float(quasi.pvalues[0]), "p_hac": float(hac.pvalues[0]), "periods": float(len(count))}
    how = f"Poisson with trend, {'quasi-Poisson errors' if fit is quasi else f'HAC errors of {lags} lags'}"
    return Ratio(SERIES, float(np.exp(fit.params[0])), (float(low), float(high)), level, float(fit.pvalues[0]), int(count.sum()), how, beside)
