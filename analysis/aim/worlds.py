"""Simulated worlds in which the truth is each explanation in turn, and what the comparison concludes in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray
from scipy.stats import binom

from ..baseline import Kernel
from ..inference import to_json
from ..null import Null, Rng, replicate_rng, seed_sequence
from ..null.draws import child_seed
from ..pattern import InputError, Plan, Study
from ..proximity import Design, build_design, look_elsewhere
from .cep import CepPrior, cep_prior
from .claims import scenes
from .explanations import BACKGROUND, DEBRIS, DEBRIS_SCALE_M, EITHER, UNDECIDED, Likelihoods, compare_explanations
from .miss import HALF

Array = NDArray[np.float64]
TIMES, FINE_M = 10, 30.0  # more strikes than there are, and better located


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
    found, missing = np.empty((2, len(errors))), np.arange(len(errors))
    for _ in range(10_000):
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
        if not len(missing):
            return found[0], found[1]
    raise InputError("hardly any strike would be reported within the disc", column="disc_radius", value=at.radius)


def confusion(
    at: Likelihoods, prior: CepPrior, errors: Array, *, n_worlds: int, seed: SeedSequence, worse: float = 1.0
) -> list[dict[str, Any]]:
    """Say how often each explanation is concluded when each is true, with as many strikes as there are, and with more and better located.

    Worlds draw their CEPs from the prior with which they are judged, times ``worse``. Each has its own stream, the same in any order. Cost:
    some 10 ms a world of 50 strikes.
    """
    answers, drawn = (*at.aims, EITHER, UNDECIDED), replace(prior, cep=worse * prior.cep)
    sizes = {"as many as there are": errors, f"{TIMES} times as many": np.tile(errors, TIMES),
             f"{TIMES} times as many, known to {FINE_M:g} m": np.full(TIMES * len(errors), FINE_M)}  # fmt: skip
    rows = []
    for s, (size, known) in enumerate(sizes.items()):
        for i, truth in enumerate(at.names):
            count = dict.fromkeys(answers, 0)
            for k in range(n_worlds):
                e, y = draw_world(truth, at, known, drawn, replicate_rng(seed, (s * len(at.names) + i) * n_worlds + k))
                count[compare_explanations(e, y, at, prior, error=known, levels=()).conclusion] += 1
            right = count[EITHER if truth in (DEBRIS, BACKGROUND) else truth]
            share = {"right": right / n_worlds, "wrong": (n_worlds - right - count[UNDECIDED]) / n_worlds}
            rows.append({"size": size, "strikes": len(known), "worse": worse, "truth": truth, "concluded": count, **share})
    return rows


def favourites(design: Design, null: Null, plan: Plan, *, n_worlds: int, n_simulations: int, seed: SeedSequence) -> dict[str, float]:
    """Say how often a favourite site, picked after the fact, is found to be hit too often in worlds of pure chance.

    The favourite is the building with the smallest p. ``uncorrected`` takes it as if it had been named beforehand; ``corrected`` pays for
    the choice among all buildings, and should not exceed the level.
    """
    level, rejected = plan.primary.level, np.zeros(2)
    for k in range(n_worlds):
        world = child_seed(seed, k)
        points = null.draw(world, 0, 1).pattern(0, design.points.window)
        found = look_elsewhere(
            points, design.sites, null, plan.verdict.ratio_radius_m, by="building_id", n_simulations=n_simulations, rng=child_seed(world, 1)
        ).frame
        rejected += [found["p_before"].min() <= level, found["p_after"].min() <= level]
    uncorrected, corrected = (rejected / n_worlds).tolist()
    bound = float(binom.ppf(0.99, n_worlds, level) / n_worlds)
    return {"n_worlds": n_worlds, "level": level, "bound": bound, "uncorrected": uncorrected, "corrected": corrected}


def explanation_study(study: Study, plan: Plan, *, n_worlds: int, rng: Rng) -> dict[str, Any]:
    """Measure what the comparison concludes in worlds of each explanation, and what a favourite picked afterwards does to a p-value.

    Worlds are laid out as the strikes about the mission that most claims are about. JSON-safe; stored as explanations.json.

    Raises
    ------
    InputError
        If no claim is about a site of the study with located strikes near.
    """
    design, seed = build_design(study, plan), seed_sequence(rng)
    null = design.null(Kernel(design.grid, plan.primary.bandwidth_m))
    at = scenes(study, plan, null.intensity)
    if not at:
        raise InputError("no claim is about a site of the study", column="mission_id")
    scene = next(iter(at.values()))
    prior, errors = cep_prior(study.tables["weapons"], "missile"), scene.strikes["uncertainty_m"].to_numpy(float)
    rows = [r for k, worse in enumerate((1.0, 3.0))
            for r in confusion(scene.located, prior, errors, n_worlds=n_worlds, seed=child_seed(seed, k), worse=worse)]  # fmt: skip
    chance = favourites(design, null, plan, n_worlds=n_worlds, n_simulations=199, seed=child_seed(seed, 2))
    found = {"n_worlds": n_worlds, "seed": str(seed.entropy), "mission": next(iter(at)), "weapon": prior.weapon,
             "disc_radius_m": scene.reach, "rows": rows, "favourite": chance}  # fmt: skip
    return dict(to_json(found))
