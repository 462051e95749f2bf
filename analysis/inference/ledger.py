"""The ledger: everything that was examined, and p-values that pay for having looked.

References
----------
Westfall, P. H. & Young, S. S. (1993). Resampling-Based Multiple Testing. Wiley.
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 65-70.
Benjamini, Y. & Hochberg, Y. (1995). JRSS B 57, 289-300.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from ..pattern import InputError
from .results import format_p, to_json

Array = NDArray[np.float64]
EXAMINED = ("site", "radius", "decay", "window", "subgroup")


def max_t(observed: ArrayLike, simulated: ArrayLike) -> Array:
    """Adjust by the largest statistic of each draw (single-step Westfall–Young): p_j = (1 + #{max_b ≥ T_j}) / (1 + B).

    Parameters
    ----------
    observed : (k,) array
    simulated : (B, k) array
        Draws in which all k statistics come from one simulated pattern. Statistics must be on one scale.
    """
    top = np.sort(np.asarray(simulated, float).max(axis=1))
    reached = len(top) - np.searchsorted(top, np.asarray(observed, float), side="left")
    return (1 + reached) / (1 + len(top))


def holm(p: ArrayLike) -> Array:
    """Adjust by Holm's step-down method: valid under any dependence."""
    values = np.asarray(p, float)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    result = np.empty(len(values))
    result[order] = np.minimum(stepped, 1.0)
    return result


def benjamini_hochberg(p: ArrayLike) -> Array:
    """Adjust to control the expected share of false finds among finds."""
    values = np.asarray(p, float)
    order = np.argsort(-values, kind="stable")
    stepped = np.minimum.accumulate(values[order] * len(values) / np.arange(len(values), 0, -1))
    result = np.empty(len(values))
    result[order] = np.minimum(stepped, 1.0)
    return result


def pooled_p(observed: ArrayLike, simulated: ArrayLike) -> tuple[Array, Array]:
    """Give one-sided Monte Carlo p-values, statistic by statistic, of the data (k,) and of every draw (B, k).

    Data and draws are ranked together, so under the null the rows are exchangeable and −p may go into :func:`max_t`: that is the min-p
    method, right for skewed counts of unlike size. With k statistics no adjusted p falls much below k / (1 + B). Ties count as extreme.
    """
    rows = _rows(observed, simulated)
    p = rankdata(-rows, method="max", axis=0) / len(rows)
    return p[0], p[1:]


def standardised(observed: ArrayLike, simulated: ArrayLike) -> tuple[Array, Array]:
    """Put statistics on one scale for :func:`max_t`: less their mean, over their standard deviation, of data and draws together.

    The data are part of both, so that under the null the rows stay exchangeable. A statistic that never varies becomes zero.
    """
    rows = _rows(observed, simulated)
    spread = rows.std(axis=0)
    z = np.divide(rows - rows.mean(axis=0), spread, out=np.zeros_like(rows), where=spread > 0)
    return z[0], z[1:]


def _rows(observed: ArrayLike, simulated: ArrayLike) -> Array:
    rows = np.vstack([np.asarray(observed, float), np.asarray(simulated, float)])
    if not np.isfinite(rows).all():
        raise InputError("the statistic must be a finite number in the data and in every draw")
    return rows


@dataclass(frozen=True, eq=False)
class Ledger:
    """Hold everything examined, found or not.

    Attributes
    ----------
    frame : DataFrame
        One row for each look: site, radius, decay, window, subgroup, statistic, p_value (as if it had been the only look), max_t
        (Westfall–Young over all rows, statistics standardised), holm and benjamini_hochberg.
    null : str
    n_simulations : int
    seed : str
    """

    frame: pd.DataFrame
    null: str
    n_simulations: int
    seed: str

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        rows = self.frame.to_dict("records")
        return dict(to_json({"rows": rows, "null": self.null, "n_simulations": self.n_simulations, "seed": self.seed}))

    def __str__(self) -> str:
        best = self.frame.iloc[int(self.frame["p_value"].to_numpy().argmin())]
        return (
            f"{len(self.frame)} looks were taken; the smallest p is {format_p(best['p_value'])} ({best['site']}, {best['decay']}, within "
            f"{best['radius']}), and {format_p(best['max_t'])} once all looks are paid for."
        )


def ledger(examined: pd.DataFrame, observed: ArrayLike, simulated: ArrayLike, *, null: str, seed: str = "") -> Ledger:
    """Enter every look and adjust its p-value for all of them.

    Answers: how surprising is the best of everything that was looked at? A look that was taken and not entered makes every adjusted
    p-value too small.

    Parameters
    ----------
    examined : DataFrame with k rows
        Columns site, radius, decay, window, subgroup; what a look did not vary is entered all the same.
    observed : (k,) array
        The statistic of each look; large means an excess.
    simulated : (B, k) array
        The same statistics in each draw from the null, all k of a row from one simulated pattern.
    null, seed : str
        As printed.

    Raises
    ------
    InputError
        If a column is missing or empty, shapes differ, there are fewer than 19 draws, or a statistic is not finite.

    Examples
    --------
    >>> looks = pd.DataFrame({"site": ["a", "b"], "radius": 500, "decay": "disc", "window": "city", "subgroup": "all"})
    >>> draws = np.random.default_rng(1).normal(size=(99, 2))
    >>> ledger(looks, [3.0, 0.0], draws, null="normal").frame["max_t"].round(2).tolist()
    [0.02, 0.75]
    """
    for column in EXAMINED:
        if column not in examined or examined[column].isna().any():
            raise InputError("every look needs an entry here", column=column)
    values, draws = np.asarray(observed, float), np.asarray(simulated, float)
    if values.shape != (len(examined),) or draws.ndim != 2 or draws.shape[1] != len(examined):
        raise InputError("one statistic for each look, in the data and in every draw", value=(len(examined), values.shape, draws.shape))
    if len(draws) < 19:
        raise InputError("must be at least 19", column="n_simulations", value=len(draws))
    p, _ = pooled_p(values, draws)
    frame = examined.loc[:, list(EXAMINED)].reset_index(drop=True)
    frame = frame.assign(
        statistic=values, p_value=p, max_t=max_t(*standardised(values, draws)), holm=holm(p), benjamini_hochberg=benjamini_hochberg(p)
    )
    return Ledger(frame, null, len(draws), seed)
