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
from numpy.typing import ArrayLike, NDArray
from scipy.stats import fisher_exact, norm
from scipy.stats.contingency import odds_ratio
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from ..pattern import InputError
from .answer import DAY, Answer, Days, NotIdentifiable, Ratio, as_days, in_period

NEVER = np.datetime64("9999-12-31")
DIVERGED = 12.0  # a log ratio beyond this is infinite but for rounding
MIN_BINS = 6
DID, EXACT, SERIES = "notification difference-in-differences", "notification, exact", "interrupted series"


@dataclass(frozen=True, eq=False)
class _Panel:
    """Hold counts (attacks, cohorts): a cohort is the sites notified on one date; ``given`` is that date, NEVER for the rest."""

    date: Days
    count: NDArray[np.float64]
    given: Days
    start: np.datetime64
    end: np.datetime64

    @property
    def told(self) -> Days:
        return self.given[self.given < NEVER]

    def treated(self, days: int = 0) -> NDArray[np.bool_]:
        """Say for each attack and cohort whether the place had been notified by then, were all dates moved by some days."""
        return self.date[:, None] >= np.where(self.given == NEVER, NEVER, self.given + days * DAY)

    def problem(self, min_days: float) -> str:
        """Say why the effect is not identifiable; empty where it is."""
        told, found = self.told, []
        if len(told) == 0:
            return "no site was notified"
        last = max([self.start, *self.date])
        if told.max() > last:
            found.append(f"the notification of {told.max()} comes after the last strike near a site ({last})")
        for days, side in (((told.min() - self.start) / DAY, "before"), ((self.end - told.max()) / DAY + 1, "after")):
            if days < min_days:
                found.append(f"only {max(days, 0):.0f} days were observed {side} the notification, fewer than the {min_days:g} asked for")
        late, mine = self.treated(), self.given < NEVER
        early = self.date < told.min()
        counts = {
            "near notified sites before": (self.count * ~late)[:, mine],
            "near notified sites after": (self.count * late)[:, mine],
            "near other sites before": self.count[early][:, ~mine],
            "near other sites after": self.count[~early][:, ~mine],
        }
        if len(self.given) == 1:
            found.append("all sites with strikes near them were notified at once, so nothing is left to compare with")
        needed = list(counts) if not mine.all() else list(counts)[:2]
        return "; ".join([*found, *(f"no strike fell {name} the notification" for name in needed if counts[name].sum() == 0)])

    def score(self, days: int = 0) -> float:
        """Give the score of the effect at no effect, over the root of its sum of squares by attack.

        Totals of attacks and of cohorts are conditioned on, so U = Σ D̃ y, with D̃ the treatment less its means by attack and by cohort.
        """
        total, d = self.count.sum(), self.treated(days).astype(float)
        row, column = self.count.sum(axis=1) / total, self.count.sum(axis=0) / total
        by_attack = ((d - (d @ column)[:, None] - row @ d + row @ d @ column) * self.count).sum(axis=1)
        spread = float(np.sqrt((by_attack**2).sum()))
        return float(by_attack.sum()) / spread if spread > 0 else 0.0


def _panel(date: Any, attack: ArrayLike, unit: ArrayLike, notified: Mapping[Any, Any], start: Any, end: Any) -> _Panel:
    days, first, last = in_period(date, start, end)
    labels, units = np.asarray(attack, object), np.asarray(unit, object)
    if not len(days) == len(labels) == len(units):
        raise InputError("dates, attacks and units must be of one length", value=(len(days), len(labels), len(units)))
    code, names = pd.factorize(labels)
    if (code < 0).any():
        raise InputError("every strike needs an attack", row=int(np.argmin(code)) + 1, column="attack")
    dates = dict(zip(notified, as_days(list(notified.values()), "notified"), strict=True)) if notified else {}
    told = np.array([dates.get(u, NEVER) for u in units], "datetime64[D]")
    given = np.unique(np.r_[told, np.array(list(dates.values()), "datetime64[D]")])
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
    sites? It takes for granted that both would have moved in step, and that the others were not notified. Where dates differ between
    sites one common effect is fitted; if effects grow with time that average can mislead (Goodman-Bacon).

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
        exp(β) of a Poisson model with effects of cohort, period and β · notified by then; errors clustered by attack, too small with few
        attacks. Beside it the p of the score test, finite at any counts, and ``p_placebo``: the share of all admissible days, moved to
        which the notifications show a score as large as on the true ones. Cost: days × attacks × cohorts.

    Raises
    ------
    InputError
        For a value that is no date, a strike outside the period or without an attack, a period that ends before it begins, or unequal
        lengths.
    """
    panel = _panel(date, attack, unit, notified, start, end)
    if problem := panel.problem(min_days):
        return NotIdentifiable(DID, problem)
    told, (rows, columns) = panel.told, np.indices(panel.count.shape)
    period = np.searchsorted(told, panel.date, side="right")[rows]
    dummies = [columns == g for g in range(len(panel.given))] + [period == p for p in np.unique(period)[1:]]
    x = np.column_stack([panel.treated().ravel(), *(d.ravel() for d in dummies)]).astype(float)
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return NotIdentifiable(DID, "no site had others to be compared with at the same time")
    fit = GLM(panel.count.ravel(), x, family=Poisson()).fit(cov_type="cluster", cov_kwds={"groups": rows.ravel()})
    if not abs(fit.params[0]) < DIVERGED:
        return NotIdentifiable(DID, "the fitted effect is infinite")
    earliest = int(np.ceil((panel.start - told.min()) / DAY + min_days))
    latest = int(np.floor((panel.end - told.max()) / DAY + 1 - min_days))
    observed, placebo = abs(panel.score()), np.abs([panel.score(k) for k in range(earliest, latest + 1)])
    beside = {"attacks": len(panel.date), "p_score": 2 * norm.sf(observed), "p_placebo": (placebo >= observed - 1e-9).mean(),
              "placebo_days": len(placebo)}  # fmt: skip
    return _fitted(DID, fit, int(panel.count.sum()), level, "Poisson, errors clustered by attack", beside)


def _fitted(name: str, fit: Any, n: int, level: float, method: str, beside: dict[str, Any]) -> Ratio:
    """Read the first coefficient of a fit as a ratio."""
    low, high = map(float, np.exp(fit.conf_int(1 - level)[0]))
    others = {key: float(value) for key, value in beside.items()}
    return Ratio(name, float(np.exp(fit.params[0])), (low, high), level, float(fit.pvalues[0]), n, method, others)


def exact_notification_test(
    date: Any, attack: ArrayLike, unit: ArrayLike, notified: Mapping[Any, Any], *, start: Any, end: Any, level: float = 0.95
) -> Answer:
    """Compare the same four counts exactly, each attack counting once near notified sites and once near the others.

    For counts too small for :func:`notification_test`, whose parameters it takes; one date of notification only. Fisher's test of attacks
    (notified or other) × (after or before), with the conditional odds ratio: infinite or zero where a count is zero. An attack that
    strikes near both kinds of site stands in both rows of one column, which makes the rows alike and the test conservative.
    """
    panel = _panel(date, attack, unit, notified, start, end)
    if len(panel.told) != 1:
        return NotIdentifiable(EXACT, f"{len(panel.told) or 'no'} dates of notification were given, and the exact test takes one")
    mine, late = panel.given < NEVER, panel.date >= panel.told[0]
    table = np.array([[(panel.count[t][:, g] > 0).any(axis=1).sum() for t in (late, ~late)] for g in (mine, ~mine)])
    sides = ("after the notification", "before the notification", "near notified sites", "near other sites")
    empty = [side for side, total in zip(sides, (*table.sum(axis=0), *table.sum(axis=1)), strict=True) if total == 0]
    if empty:
        return NotIdentifiable(EXACT, f"no strike fell {empty[0]}")
    found = odds_ratio(table)
    limits = found.confidence_interval(level)
    names = ("notified_after", "notified_before", "other_after", "other_before")
    return Ratio(EXACT, float(found.statistic), (float(limits.low), float(limits.high)), level, float(fisher_exact(table).pvalue),
                 int(table.sum()), "Fisher, attacks counted once", dict(zip(names, map(float, table.ravel()), strict=True)))  # fmt: skip


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
        exp(level change) with a log-linear trend. Errors are HAC or quasi-Poisson, whichever are larger: with some fifty periods HAC
        errors alone are too small (docs/timing.md). Beside it both p-values and the Pearson dispersion.
    """
    days, first, last = in_period(date, start, end)
    at, step = as_days(change, "change")[0], int(step_days)
    if step < 1:
        raise InputError("must be at least 1", column="step_days", value=step_days)
    before, after = int((at - first) / DAY) // step, (int((last - at) / DAY) + 1) // step
    for side, bins in (("before", before), ("after", after)):
        if bins < MIN_BINS:
            return NotIdentifiable(SERIES, f"{max(bins, 0)} of the {MIN_BINS} periods of {step} days asked for lie {side} the change")
    place = np.floor((days - at) / DAY / step).astype(int) + before
    count = np.bincount(place[(place >= 0) & (place < before + after)], minlength=before + after)
    for side, part in (("before", count[:before]), ("after", count[before:])):
        if part.sum() == 0:
            return NotIdentifiable(SERIES, f"nothing happened {side} the change")
    t, lags = np.arange(len(count)) - before, int(4 * (len(count) / 100) ** (2 / 9))
    model = GLM(count, np.column_stack([t >= 0, np.ones(len(t)), t / len(t)]).astype(float), family=Poisson())
    hac, quasi = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags}), model.fit(scale="X2")
    fit = max(hac, quasi, key=lambda one: float(one.bse[0]))
    beside = {"dispersion": quasi.scale, "p_quasi": quasi.pvalues[0], "p_hac": hac.pvalues[0], "periods": len(count)}
    how = f"Poisson with trend, {'quasi-Poisson errors' if fit is quasi else f'HAC errors of {lags} lags'}"
    return _fitted(SERIES, fit, int(count.sum()), level, how, beside)
