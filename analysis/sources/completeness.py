"""Completeness: how many strikes neither of two sources has, near sites and far from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from ..pattern import Sites
from .clean import CleanStrikes


@dataclass(frozen=True)
class Completeness:
    """Hold one capture–recapture estimate.

    Attributes
    ----------
    where : str
        all, near or far (within a distance of a site, or beyond it).
    first, second : str
        The two sources.
    in_first, in_second, in_both : int
        Strikes in the period that both cover.
    total : float or None
        Estimated number of strikes, seen or not; None where it is not identifiable.
    interval : (float, float) or None
    completeness : float or None
        Share of them that at least one source has.
    said : str
        The reason where there is no estimate; else what it rests on.
    """

    where: str
    first: str
    second: str
    in_first: int
    in_second: int
    in_both: int
    total: float | None
    interval: tuple[float, float] | None
    completeness: float | None
    said: str


ASSUMES = "assumes that the sources find strikes independently; sources that follow each other seem too complete"


def chapman(in_first: int, in_second: int, in_both: int, *, level: float = 0.95) -> tuple[float, tuple[float, float]]:
    """Estimate how many there are from two lists that overlap.

    Parameters
    ----------
    in_first, in_second, in_both : int
    level : float

    Returns
    -------
    total, interval

    Notes
    -----
    Chapman's N̂ = (a+1)(b+1)/(m+1) − 1, with the interval of Chao (1987), which takes the number unseen as log-normal, so that it never
    falls below what was seen.

    References
    ----------
    Chapman, D. G. (1951). University of California Publications in Statistics 1, 131-160.
    Chao, A. (1987). Estimating the population size for capture-recapture data with unequal catchability. Biometrics 43, 783-791.

    Examples
    --------
    >>> total, (low, high) = chapman(30, 25, 15)
    >>> round(total, 3), round(low, 1), round(high, 1)
    (49.375, 43.4, 66.2)
    """
    a, b, m = in_first, in_second, in_both
    total = (a + 1) * (b + 1) / (m + 1) - 1
    variance = (a + 1) * (b + 1) * (a - m) * (b - m) / ((m + 1) ** 2 * (m + 2))
    seen = a + b - m
    unseen = total - seen
    if unseen <= 0:
        return total, (float(seen), float(seen))
    spread = float(np.exp(norm.ppf(0.5 + level / 2) * np.sqrt(np.log1p(variance / unseen**2))))
    return total, (seen + unseen / spread, seen + unseen * spread)


def completeness(found: CleanStrikes, sites: Sites | None = None, *, near_m: float = 0.0) -> list[Completeness]:
    """Estimate completeness for every pair of sources: of all strikes, and near to sites and far from them.

    Parameters
    ----------
    found : CleanStrikes
    sites : Sites, optional
        Without them only all strikes are looked at.
    near_m : float
        Near is within this of a site. Strikes known to an area only are neither near nor far.

    Notes
    -----
    Only the days that both sources cover count. A completeness that differs near and far means that the located strikes near sites were
    reported more readily, or less, than others: compare it with the report's break-even ratio.
    """
    names = list(found.files["source"])
    dates = found.trace.merge(found.strikes[["strike_id", "date"]], on="strike_id")
    span = dates.groupby("source")["date"].agg(["min", "max"])
    groups: dict[str, pd.Series] = {"all": pd.Series(True, index=found.strikes.index)}
    if sites is not None:
        distance = pd.Series(np.nan, index=found.strikes.index)
        point = found.strikes["support"] == "point"
        distance[point] = sites.distance(found.strikes["easting"][point], found.strikes["northing"][point])
        groups |= {f"within {near_m:g} m": distance <= near_m, f"beyond {near_m:g} m": distance > near_m}
    result = []
    for k, first in enumerate(names):
        for second in names[k + 1 :]:
            if first not in span.index or second not in span.index:
                result.append(_none("all", first, second, 0, 0, 0, "one of the two has no strike here"))
                continue
            begin, end = span.loc[[first, second], "min"].max(), span.loc[[first, second], "max"].min()
            when = found.strikes["date"].between(begin, end)
            of = found.strikes["sources"].str.split(";").apply(set)
            for where, chosen in groups.items():
                sets = of[chosen & when]
                a, b = sum(first in s for s in sets), sum(second in s for s in sets)
                result.append(_estimate(where, first, second, a, b, sum({first, second} <= s for s in sets)))
    return result


def _estimate(where: str, first: str, second: str, a: int, b: int, m: int) -> Completeness:
    if m == 0:
        return _none(where, first, second, a, b, m, "not identifiable: no strike is in both sources")
    total, interval = chapman(a, b, m)
    return Completeness(where, first, second, a, b, m, total, interval, (a + b - m) / total, ASSUMES)


def _none(where: str, first: str, second: str, a: int, b: int, m: int, said: str) -> Completeness:
    return Completeness(where, first, second, a, b, m, None, None, None, said)
