"""Power by simulation: how often a test rejects in worlds made to have an effect, and the smallest effect it would see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from ..null import Rng, seed_sequence
from ..null.draws import child_seed
from ..pattern import InputError
from .results import to_json

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PowerCurve:
    """Hold the power of a test along the size of an effect.

    Attributes
    ----------
    effect, power, lower, upper : (k,) arrays
        ``lower`` and ``upper``: the exact 95 % interval of Clopper and Pearson for the number of worlds run.
    n_worlds : int
        For each effect.
    level, wanted : float
    smallest : float
        Where power first reaches ``wanted``, between neighbours by straight line; infinite if it never does, and the first effect if it
        does there.
    """

    effect: Array
    power: Array
    lower: Array
    upper: Array
    n_worlds: int
    level: float
    wanted: float
    smallest: float

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        head = f"{'effect':>10} {'power':>8}  95 % interval"
        rows = [
            f"{e:>10.4g} {p:>8.3f}  {a:.3f} to {b:.3f}" for e, p, a, b in zip(self.effect, self.power, self.lower, self.upper, strict=True)
        ]
        seen = f"effects from {self.smallest:.3g} are seen" if np.isfinite(self.smallest) else "no effect tried is seen"
        return "\n".join([head, *rows, f"{self.n_worlds} worlds each, level {self.level:g}; {seen} with power {self.wanted:g}."])


def power_curve(
    p_value: Callable[[float, np.random.Generator], float],
    effects: Sequence[float],
    *,
    n_worlds: int,
    level: float = 0.05,
    wanted: float = 0.8,
    rng: Rng,
) -> PowerCurve:
    """Run a test in worlds of known effect.

    Answers: what could this test have seen at this n? The worlds decide the answer: they must have the strikes, attacks and sites of the
    study, and at no effect the power must be the level.

    Parameters
    ----------
    p_value : callable
        Takes an effect and a generator, draws a world, tests it and gives p.
    effects : increasing floats
    n_worlds : int
    level, wanted : float
    rng : int, SeedSequence or Generator
        World k of effect i draws from the child (i, k) of this seed, whatever else is run.

    Returns
    -------
    PowerCurve

    Raises
    ------
    InputError
        For effects that do not increase, no worlds, or a p-value outside [0, 1].

    Notes
    -----
    Cost: effects × worlds tests, one after the other.
    """
    at = np.asarray(effects, float)
    if at.ndim != 1 or len(at) == 0 or (np.diff(at) <= 0).any():
        raise InputError("must be increasing numbers", column="effects", value=list(effects))
    if n_worlds < 1:
        raise InputError("must be 1 at least", column="n_worlds", value=n_worlds)
    seed, rejected = seed_sequence(rng), np.zeros(len(at))
    for i, effect in enumerate(at):
        for k in range(n_worlds):
            p = p_value(float(effect), np.random.default_rng(child_seed(seed, i, k)))
            if not 0 <= p <= 1:
                raise InputError("a p-value must lie between 0 and 1", value=p)
            rejected[i] += p <= level
    power = rejected / n_worlds
    lower, upper = np.array([binomtest(int(r), n_worlds).proportion_ci(0.95, "exact") for r in rejected]).T
    return PowerCurve(at, power, lower, upper, n_worlds, level, wanted, _first(at, power, wanted))


def _first(effect: Array, power: Array, wanted: float) -> float:
    seen = np.flatnonzero(power >= wanted)
    if len(seen) == 0:
        return float("inf")
    k = int(seen[0])
    if k == 0:
        return float(effect[0])
    return float(np.interp(wanted, power[k - 1 : k + 1], effect[k - 1 : k + 1]))
