"""The ledger: everything that was examined, and what each look is worth once all are paid for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..pattern import InputError, refuse_few
from .multiplicity import benjamini_hochberg, holm, max_t, pooled_p, standardised
from .results import format_p, to_json

Array = NDArray[np.float64]
EXAMINED = ("site", "radius", "decay", "window", "subgroup")


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

    Returns
    -------
    Ledger

    Raises
    ------
    InputError
        If nothing was examined, a column is missing or has gaps, shapes differ, there are fewer than 19 draws, or a statistic is not
        finite.

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
    if examined.empty or values.shape != (len(examined),) or draws.ndim != 2 or draws.shape[1] != len(examined):
        said = "needs a look, and one statistic for each look, in the data and in every draw"
        raise InputError(said, value=(len(examined), values.shape, draws.shape))
    refuse_few(len(draws))
    p, _ = pooled_p(values, draws)
    frame = examined.loc[:, list(EXAMINED)].reset_index(drop=True)
    frame = frame.assign(
        statistic=values, p_value=p, max_t=max_t(*standardised(values, draws)), holm=holm(p), benjamini_hochberg=benjamini_hochberg(p)
    )
    return Ledger(frame, null, len(draws), seed)
