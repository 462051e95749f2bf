"""The scene: every located strike on coarse cells, and draws that all checks share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import SeedSequence
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from ..baseline import Kernel, LinearEstimator, window_means
from ..inference import monte_carlo_p, to_json
from ..null import BinomialNull, Rng, replicate_rng, seed_sequence
from ..pattern import Plan, Sites, Study, label_codes
from ..proximity import Decay, Design, build_design, error_classes
from ..proximity.score import ALTERNATIVES

Array = NDArray[np.float64]
Index = NDArray[np.intp]
CELL_M = 100.0  # as coarse as the cells of the calibration
HELD = 4_000_000  # places held at once, 8 bytes each; more are drawn in parts, and anew by each check


@dataclass(frozen=True)
class CheckResult:
    """Hold what one threat does to the answer.

    Attributes
    ----------
    name, threat : str
        The threat as a rival explanation, in a sentence.
    passed : bool or None
        Whether the answer stands; None where the data do not say.
    table : tuple of dict
    text : str
        What was found; of a check that failed, what overturns the answer.
    """

    name: str
    threat: str
    passed: bool | None
    table: tuple[dict[str, Any], ...]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))


@dataclass(frozen=True, eq=False)
class Scores:
    """Hold scores of the data and of every draw, and their p-values, one for each weighting."""

    observed: Array
    simulated: Array
    p: Array


@dataclass(frozen=True, eq=False)
class Places:
    """Give the cells of all strikes in the draws of a null, some replicates at a time: (replicates, n) arrays."""

    at: Scene
    null: BinomialNull

    def __iter__(self) -> Iterator[Index]:
        if self.at.n_simulations * self.null.n <= HELD:
            yield self._all
        else:
            yield from (self.null.cells(part) for part in self.at.uniforms(self.null.n))

    @cached_property
    def _all(self) -> Index:
        (uniforms,) = self.at.uniforms(self.null.n)
        return self.null.cells(uniforms)


@dataclass(frozen=True, eq=False)
class Scene:
    """Hold what the checks read. Strikes that prompted the study are in it with weight zero.

    Attributes
    ----------
    study, plan
    primary_p : float
        A check asks what becomes of it.
    design : Design
        Of all located strikes, n of them, prompting ones included.
    weights : (n,) array
        As planned.
    seed : SeedSequence
    n_simulations : int
        B. The chance in all draws is the same: under another intensity it gives coupled places, so that checks differ by what they change
        only.
    """

    study: Study
    plan: Plan
    primary_p: float
    design: Design
    weights: Array
    seed: SeedSequence
    n_simulations: int

    @property
    def rejects(self) -> bool:
        """Whether the primary test rejects."""
        return self.primary_p <= self.plan.primary.level

    @cached_property
    def decay(self) -> Decay:
        """The decay of the primary test."""
        return Decay(self.plan.primary.decay, self.plan.primary.scale_m)

    @cached_property
    def estimator(self) -> Kernel:
        """The baseline of the primary test."""
        return Kernel(self.design.grid, self.plan.primary.bandwidth_m)

    @cached_property
    def null(self) -> BinomialNull:
        """The null of the primary test."""
        return self.design.null(self.estimator, self.weights)

    def uniforms(self, n: int) -> Iterator[Array]:
        """Give the chance of the first n strikes in all draws, some replicates at a time: (replicates, n) arrays."""
        for part in in_parts(self.n_simulations, n):
            yield np.array([replicate_rng(self.seed, k).random(n) for k in part])

    def orders(self, n: int) -> Iterator[Index]:
        """Deal n things anew in each draw, by the ranks of uniform numbers."""
        return (np.argsort(part, axis=1) for part in self.uniforms(n))

    @cached_property
    def places(self) -> Places:
        """Draws from it."""
        return Places(self, self.null)

    @cached_property
    def errors(self) -> tuple[Array, Index]:
        """Distinct location errors, and the class of each strike."""
        return error_classes(self.design.uncertainty, self.design.points.n)

    @cached_property
    def cells(self) -> Index:
        """The cell of each strike: data and draws are read alike."""
        points = self.design.points
        return self.design.grid.inside_cell(points.easting, points.northing)[None, :]

    @cached_property
    def unit(self) -> Index:
        """The attack of each strike."""
        return label_codes(self.design.attack, len(self.design.attack))

    def marks(self, column: str) -> pd.Series:
        """Give a column of the strikes."""
        marks = self.design.points.marks
        assert marks is not None
        return marks[column]

    def phi(self, decay: Decay, estimator: LinearEstimator, sites: Sites | None = None, *, errors: Array | None = None) -> Array:
        """Give the fields of the score, one for each class of location error: (classes, cells)."""
        return refitted(self.near(decay, estimator, sites, errors=errors), estimator)

    def near(
        self, decay: Decay, estimator: LinearEstimator, sites: Sites | None = None, *, errors: Array | None = None
    ) -> Array:
        """Give the decay over each class of location error, before a baseline is taken off."""
        field = decay.field(self.design.sites if sites is None else sites, estimator.grid)
        return window_means(field, estimator.grid, self.errors[0] if errors is None else errors)

    @cached_property
    def planned(self) -> Array:
        """The fields of the primary test."""
        return self.phi(self.decay, self.estimator)

    def scores(
        self,
        phi: Array,
        weights: Array | None = None,
        *,
        null: BinomialNull | None = None,
        places: Iterable[Index] | None = None,
        kind: Index | None = None,
        unit: ArrayLike | None = None,
        cells: Index | None = None,
    ) -> Scores:
        """Test one set of fields under several weightings at once. What is not given is the primary test's.

        ``places`` are the cells of the strikes in draws, (replicates, n) arrays. Cost: draws × strikes × weightings.
        """
        from ..pattern.draw_loops import unit_scores

        null = self.null if null is None else null
        kind = self.errors[1] if kind is None else kind
        rows = np.atleast_2d(self.weights if weights is None else weights)
        label = self.unit if unit is None else label_codes(unit, len(self.design.attack), "unit")
        centre = null.means(phi, kind)
        observed = unit_scores(phi, kind, self.cells if cells is None else cells, rows, centre, label)[:, 0]
        if places is None:
            places = self.places if null is self.null else Places(self, null)
        simulated = np.concatenate([unit_scores(phi, kind, part, rows, centre, label) for part in places], axis=1)
        return Scores(observed, simulated, np.array([self.p(o, s) for o, s in zip(observed, simulated, strict=True)]))

    def without_each(self, phi: Array) -> Array:
        """Give the p-value of one set of fields without each attack in turn: the sums of an attack leave those of all.

        Cost: draws × (strikes + attacks).
        """
        from ..pattern.draw_loops import unit_sums

        kind, weights, n_units = self.errors[1], self.weights, int(self.unit.max()) + 1
        centre = np.bincount(self.unit, weights * self.null.means(phi, kind), n_units)

        def left(cells: Index) -> Array:
            sums = unit_sums(phi, kind, cells, weights, self.unit, n_units)
            total, squares = sums.sum(axis=1, keepdims=True), (sums - centre) ** 2
            rest = squares.sum(axis=1, keepdims=True) - squares
            return np.divide(total - sums, np.sqrt(np.maximum(rest, 0)), out=np.zeros_like(sums), where=rest > 1e-12 * squares)

        (observed,) = left(self.cells)
        simulated = np.concatenate([left(part) for part in self.places])
        return np.array([self.p(o, s) for o, s in zip(observed, simulated.T, strict=True)])

    @cached_property
    def _shift(self) -> float:
        return float(logit(self._within(self.primary_p)) - logit(self._within(self.scores(self.planned).p[0])))

    def _within(self, p: ArrayLike) -> Array:
        draws = self.n_simulations
        return np.clip(np.asarray(p, float), 1 / (draws + 1), draws / (draws + 1))

    def alike(self, p: ArrayLike) -> Array:
        """Move p-values by as much, in log odds, as the primary test's on these cells and draws is off its own.

        The plan's own test gives a slightly other p on coarser cells and other draws. The draws of all checks being coupled, that
        difference is common to them (a control variate): without the shift a check could fail for the cells it was run on.
        """
        return np.asarray(expit(logit(self._within(p)) + self._shift))

    def p(self, observed: float, simulated: Array) -> float:
        """Rank a score among its draws, to the side of the primary test."""
        return monte_carlo_p(float(observed), simulated, ALTERNATIVES[self.plan.primary.alternative])

    def stands(self, p: ArrayLike) -> NDArray[np.bool_]:
        """Say which p-values fall on the same side of the level as the primary one."""
        # shifting to and fro leaves the last digits
        return (np.asarray(p) <= self.plan.primary.level * (1 + 1e-9)) == self.rejects

    @property
    def other_side(self) -> str:
        """The side of the level that would overturn the primary test."""
        return "above" if self.rejects else "at or below"


def in_parts(replicates: int, n: int) -> Iterator[range]:
    """Split replicates of n strikes so that no more than ``HELD`` strikes are held at once."""
    step = max(1, HELD // max(n, 1))
    return (range(first, min(first + step, replicates)) for first in range(0, replicates, step))


def refitted(near: Array, estimator: LinearEstimator) -> Array:
    """Take off what the refitted baseline expects: (classes, cells)."""
    return np.stack([(f - estimator.adjoint(f)).ravel() for f in near])




def scene(study: Study, plan: Plan, primary_p: float, *, rng: Rng, n_simulations: int | None = None) -> Scene:
    """Lay out the strikes and draw the chance of all checks, replicate k from spawn key (k,)."""
    coarse = replace(plan, cell_m=max(CELL_M, plan.cell_m))
    design = build_design(study, coarse, strikes=study.strikes)
    kept = build_design(study, coarse)
    assert kept.points.marks is not None and design.points.marks is not None
    planned = dict(zip(kept.points.marks["strike_id"], kept.weights, strict=True))
    weights = np.array([planned.get(name, 0.0) for name in design.points.marks["strike_id"]])
    seed = seed_sequence(rng)
    draws = plan.n_simulations if n_simulations is None else n_simulations
    return Scene(study, plan, primary_p, design, weights, seed, draws)
