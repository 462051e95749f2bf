"""What chance alone does when there are many sites: some site is hit often, and the worst-hit one was chosen after the fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..inference import format_p, max_t, pooled_p, simulate, to_json
from ..null import Draws, Null, Rng, seed_sequence
from ..pattern import InputError, PointPattern, Sites, refuse_few

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LookElsewhere:
    """Hold, for every building or state, the strikes near it and its p-value before and after paying for the choice.

    Attributes
    ----------
    radius : float
    by : str
        The mark by which sites are grouped.
    frame : DataFrame
        One row for each group: name, observed, expected (mean of the draws), p_before (as if this group had been named before the strikes),
        p_after (min-p over all groups, for one chosen because it was hit).
    some : DataFrame
        k, and the probability that chance alone brings k or more strikes within the radius of at least one group.
    null : str
    n_simulations : int
    seed : str
    """

    radius: float
    by: str
    frame: pd.DataFrame
    some: pd.DataFrame
    null: str
    n_simulations: int
    seed: str

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json({**vars(self), "frame": self.frame.to_dict("records"), "some": self.some.to_dict("records")}))

    def chance(self, k: int) -> float:
        """Give the probability that some group has k strikes or more by chance; 1 for k ≤ 0, the last of the table beyond it."""
        if k <= 0:
            return 1.0
        return float(self.some["probability"].iloc[min(k, len(self.some)) - 1])

    def about(self, name: str) -> str:
        """Say of one group how often it was hit, and what that means before and after paying for the choice.

        Raises
        ------
        InputError
            If there is no such group.
        """
        rows = self.frame[self.frame["name"] == name]
        if rows.empty:
            raise InputError("there is no such group of sites", column=self.by, value=name)
        row = rows.iloc[0]
        k = int(row["observed"])
        return (
            f"{name} was hit {k} times within {self.radius:g} where {row['expected']:.2g} were expected: "
            f"p = {format_p(row['p_before'])} had it been named beforehand, "
            f"{format_p(row['p_after'])} as the choice among {len(self.frame)}. "
            f"Some {self.by} would be hit {k} times or more by chance with probability {format_p(self.chance(k))}."
        )

    def __str__(self) -> str:
        return self.about(str(self.frame["name"].iloc[int(self.frame["p_before"].to_numpy().argmin())]))


def look_elsewhere(
    points: PointPattern, sites: Sites, null: Null, radius: float, *, by: str = "building_id", n_simulations: int, rng: Rng
) -> LookElsewhere:
    """Count strikes near every group of sites, in the data and in draws from a null, and see how often chance singles one out.

    Answers: some mission was hit k times; with this many missions, how often would that happen to one of them anyway?

    Parameters
    ----------
    points : PointPattern
        The strikes.
    sites : Sites
        With the mark ``by``: one row for each mission.
    null : Null
        As for any Monte Carlo test: where strikes fall anyway, with what is kept.
    radius : float
        A strike at exactly the radius counts; a strike within reach of two sites of a group counts once.
    by : str
        "building_id" or "sending_state" or any other mark: a state is near if any of its missions is.

    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.

    Returns
    -------
    LookElsewhere

    Notes
    -----
    A fixed null: a baseline estimated from the same strikes has partly absorbed them, and p-values come out too large. Counts near
    different groups expect different numbers, so the adjustment is Westfall and Young's min-p, data and draws ranked together.
    Probabilities are (1 + #) / (1 + B). With m groups the smallest p_after is about m / (1 + B): use 2,000 draws or
    more. Cost: one tree of n_simulations × n points.

    Raises
    ------
    InputError
        For no strikes, no sites, a missing mark, a radius that is not positive, or fewer than 19 simulations.
    """
    for name, pattern in (("strikes", points), ("sites", sites)):
        if pattern.n == 0:
            raise InputError(f"there are no {name}")
    if sites.marks is None or by not in sites.marks or sites.marks[by].isna().any():
        raise InputError("every site needs this mark to be grouped", column=by)
    if not (np.isfinite(radius) and radius > 0):
        raise InputError("must be a positive number", column="radius", value=radius)
    refuse_few(n_simulations)
    label, names = pd.factorize(sites.marks[by].astype(str), sort=True)
    rows_of = [np.flatnonzero(label == g) for g in range(len(names))]
    where = np.column_stack([sites.easting, sites.northing])

    def counts(draws: Draws) -> Array:
        tree = cKDTree(np.column_stack([draws.easting, draws.northing]), balanced_tree=False)
        near = [np.asarray(part, np.intp) for part in tree.query_ball_point(where, radius)]
        result = np.empty((draws.n_draws, len(names)))
        for g, rows in enumerate(rows_of):
            once = np.unique(np.concatenate([near[s] for s in rows]))
            result[:, g] = np.bincount(draws.replicate[once], minlength=draws.n_draws)
        return result

    seed = seed_sequence(rng)
    observed = counts(Draws.observed(points))[0]
    simulated = simulate(counts, null, n_simulations=n_simulations, rng=seed)
    p, simulated_p = pooled_p(observed, simulated)
    frame = pd.DataFrame(
        {
            "name": np.asarray(names, object),
            "observed": observed.astype(int),
            "expected": simulated.mean(axis=0),
            "p_before": p,
            "p_after": max_t(-p, -simulated_p),
        }
    )
    top = simulated.max(axis=1)
    k = np.arange(1, int(max(top.max(), observed.max(), 1)) + 1)
    some = pd.DataFrame({"k": k, "probability": (1 + (top[:, None] >= k).sum(axis=0)) / (1 + n_simulations)})
    return LookElsewhere(float(radius), by, frame, some, null.name, n_simulations, str(seed.entropy))
