"""Simulated worlds in which the truth is each explanation in turn, and what the comparison concludes in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError
from .cep import CepPrior
from .explanations import BACKGROUND, DEBRIS, DEBRIS_SCALE_M, EITHER, UNDECIDED, Likelihoods, Rivals, compare_explanations
from .miss import HALF

Array = NDArray[np.float64]


def draw_world(truth: str, at: Likelihoods, errors: Array, prior: CepPrior, rng: Generator) -> tuple[Array, Array]:
    """Draw one strike for each location error under one explanation, anew until it is reported within the disc.

    The centre of what was aimed at is drawn once, for all strikes; each strike has its own CEP.
    """
    rivals, site = at.rivals, at.rivals.site
    field = np.flatnonzero(rivals.background.grid.inside)
    mass = np.cumsum(rivals.background.values.ravel()[field])
    aim = at.aims.get(truth)
    centre = np.zeros(2) if aim is None else np.array([aim.easting, aim.northing]) + aim.error * rng.normal(size=2)
    nodes = None if aim is None else aim.nodes(at.radius / 25) - [aim.easting, aim.northing]
    found, missing, tried = np.empty((2, len(errors))), np.arange(len(errors)), 0
    while len(missing):
        batch = max(64, 4 * len(missing))
        rows = np.resize(missing, batch)
        if nodes is not None:
            cep = rng.choice(prior.cep, batch, p=prior.weight)
            place = centre + nodes[rng.integers(len(nodes), size=batch)] + (cep / np.sqrt(HALF))[:, None] * rng.normal(size=(batch, 2))
        elif truth == DEBRIS:
            place = rivals.sources[rng.integers(len(rivals.sources), size=batch)] + DEBRIS_SCALE_M * rng.normal(size=(batch, 2))
        else:
            grid = rivals.background.grid
            i, j = np.divmod(field[np.searchsorted(mass, rng.random(batch) * mass[-1], side="right")], grid.shape[1])
            corner = np.column_stack([grid.west + j * grid.dx, grid.south + i * grid.dy])
            place = corner + rng.random((batch, 2)) * [grid.dx, grid.dy]
        place = place + errors[rows, None] * rng.normal(size=(batch, 2))
        near = np.hypot(place[:, 0] - site.easting, place[:, 1] - site.northing) <= at.radius
        rows, place = rows[near], place[near]
        first = np.unique(rows, return_index=True)[1]
        found[:, rows[first]] = place[first].T
        missing = np.setdiff1d(missing, rows)
        tried += 1
        if tried > 10_000:
            raise InputError("hardly any strike would be reported within the disc", column="disc_radius", value=at.radius)
    return found[0], found[1]


def explanation_study(
    rivals: Rivals,
    prior: CepPrior,
    errors: Array,
    *,
    n_worlds: int,
    rng: Rng,
    disc_radius: float = 500.0,
    times: int = 10,
    fine_m: float = 30.0,
) -> dict[str, Any]:
    """Say how often each explanation is concluded when each is true: the confusion matrix of :func:`compare_explanations`.

    Parameters
    ----------
    rivals : Rivals
    prior : CepPrior
        From which the worlds draw and with which they are judged.
    errors : (n,) array
        Location errors of the real strikes; worlds have n strikes, and ``times`` as many, and as many known to ``fine_m``.
    n_worlds : int
        Of each truth.

    Notes
    -----
    World k of truth i draws from its own stream, the same in any order. Cost: about 10 ms a world and 50 strikes.
    """
    seed = seed_sequence(rng)
    at = Likelihoods(rivals, disc_radius)
    answers = (*at.aims, EITHER, UNDECIDED)
    sizes = {"as many as there are": errors, f"{times} times as many": np.tile(errors, times),
             f"{times} times as many, known to {fine_m:g} m": np.full(times * len(errors), fine_m)}  # fmt: skip
    rows = []
    for s, (size, known) in enumerate(sizes.items()):
        for i, truth in enumerate(at.names):
            count = dict.fromkeys(answers, 0)
            for k in range(n_worlds):
                draw = replicate_rng(seed, (s * len(at.names) + i) * n_worlds + k)
                e, y = draw_world(truth, at, known, prior, draw)
                found = compare_explanations(e, y, rivals, prior, error=known, disc_radius=disc_radius, likelihoods=at, levels=())
                count[found.conclusion] += 1
            right = EITHER if truth in (DEBRIS, BACKGROUND) else truth
            wrong = n_worlds - count[right] - count[UNDECIDED]
            rows.append({"size": size, "strikes": len(known), "truth": truth, "concluded": count, "wrong": wrong / n_worlds})
    return {"n_worlds": n_worlds, "seed": str(seed.entropy), "weapon": prior.weapon, "answers": list(answers), "rows": rows}
