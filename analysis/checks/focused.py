"""Size and power of the tests around given sites, in worlds with the window, buildings, attacks and number of strikes of the study."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray
from scipy.stats import binom

from ..baseline import Kernel
from ..inference import to_json
from ..null import BinomialNull
from ..pattern import Grid, InputError, Intensity, Plan, PointPattern, Sites, Study
from ..proximity import (
    Decay,
    build_design,
    focused_family_test,
    kernel_raised_incidence_test,
    look_elsewhere,
    raised_incidence_test,
    ring_counts,
    scan_test,
    stone_test,
)
from .worlds import Setting, World, draw_strikes, setting, worlds

Array = NDArray[np.float64]
CELL_M, RING_M, REGION_M = 200.0, 50.0, 1000.0
BROAD_M, BANDWIDTH_M = 2000.0, 1500.0
N_CONTROLS = 300
MIN_P_DRAWS = 1999  # with 67 buildings and 99 draws no min-p could fall below 0.05
RATIOS = (1.5, 2.0, 3.0, 5.0)
DECAYS = tuple(Decay("gaussian", h) for h in (250.0, 500.0, 1000.0, 2000.0))


@dataclass(frozen=True)
class FocusedCalibration:
    """Hold measured sizes and powers of the tests around given sites.

    Attributes
    ----------
    n_strikes, n_attacks, n_buildings, n_simulations : int
        Draws in each test; the min-p over buildings takes 1,999.
    level, bound : float
        A size above the bound would come up in under 1 % of such studies if the true size were the level.
    rows : tuple of dict
        test, baseline (known, kernel), truth (none, salvos, near, broad, one building), ratio, worlds, rejected, share.
    """

    n_strikes: int
    n_attacks: int
    n_buildings: int
    n_simulations: int
    level: float
    bound: float
    rows: tuple[dict[str, Any], ...]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FocusedCalibration:
        """Read back what :meth:`to_dict` wrote.

        Raises
        ------
        InputError
            If a field is missing or unknown.
        """
        if set(values) != set(cls.__dataclass_fields__):
            raise InputError("must hold the fields of a focused calibration", value=sorted(values))
        return cls(**{**values, "rows": tuple(values["rows"])})

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def curve(self, test: str, truth: str) -> tuple[Array, Array]:
        """Give the ratios and the powers of a test against one truth, its size with a known baseline at ratio 1."""
        rows = [r for r in self.rows if r["test"] == test and r["baseline"] == "known" and r["truth"] in ("none", truth)]
        rows.sort(key=lambda r: r["ratio"])
        return np.array([r["ratio"] for r in rows]), np.array([r["share"] for r in rows])


@dataclass(frozen=True, eq=False)
class _Bench:
    """Hold what all worlds share."""

    at: Setting
    sites: Sites
    truth: World
    distance: Array
    one: Array

    @property
    def grid(self) -> Grid:
        return self.at.grid

    def world(self, truth: str, ratio: float) -> World:
        """Raise the smooth truth near all buildings, broadly around them, or near the one where most strikes are expected anyway."""
        away = self.distance
        raised = {
            "near": away <= 500.0,
            "broad": np.exp(-0.5 * (away / BROAD_M) ** 2),
            "one building": self.one <= 500.0,
        }
        factor = 1 + (ratio - 1) * raised[truth] if truth in raised else 1.0
        return replace(self.truth, intensity=self.truth.intensity.times(factor), together=0.3 if truth == "salvos" else 0.0)


def _bench(study: Study, plan: Plan) -> _Bench:
    at = setting(study, plan, cell_m=CELL_M)
    design = build_design(study, replace(plan, cell_m=CELL_M))
    labels = np.unique(design.attack, return_inverse=True)[1].astype(np.intp)
    at = replace(at, attack=labels)
    truth = next(world for world in worlds(at) if world.name == "centre")
    sites, centres = design.sites, at.grid.centres
    busiest = int(truth.intensity.at(sites.easting, sites.northing).argmax())
    one = np.hypot(centres[0] - sites.easting[busiest], centres[1] - sites.northing[busiest])
    return _Bench(at, sites, truth, sites.distance(*centres), one)


def p_values(bench: _Bench, strikes: PointPattern, baseline: Intensity, *, n_simulations: int, rng: SeedSequence) -> dict[str, float]:
    """Run every test around given sites on one pattern, with a baseline taken as known.

    Rings and square regions get the baseline's expected strikes; controls are drawn from it.
    """
    seeds = rng.spawn(9)
    grid, n = bench.grid, strikes.n
    expected = baseline.values * grid.cell_area * n / baseline.total
    distance = bench.sites.distance(strikes.easting, strikes.northing)
    ring = np.floor(bench.distance / RING_M).astype(np.intp)
    by_ring = np.bincount(ring.ravel(), expected.ravel())
    # strikes are read at their cells, as the expected are, so that no ring holds a strike where nothing is expected
    at_cell = grid.cell(strikes.easting, strikes.northing)
    seen = np.bincount(ring.ravel()[at_cell], minlength=len(by_ring))
    use = by_ring > 0
    middle = RING_M * (np.flatnonzero(use) + 0.5)
    place, region = _regions(grid)
    by_region = np.bincount(region.ravel(), expected.ravel())
    in_region = np.bincount(region.ravel()[at_cell], minlength=len(by_region))
    held = by_region > 0
    e, y = place[held].T
    draw = BinomialNull(baseline, N_CONTROLS).draw(seeds[0], 0, 1)
    apart = np.r_[distance, bench.sites.distance(draw.easting, draw.northing)]
    within = float(expected[bench.distance <= 500.0].sum())
    rings = (middle, seen[use], by_ring[use])
    regions = (bench.sites.distance(e, y), in_region[held], by_region[held])
    scores = focused_family_test(seen[use], by_ring[use], middle, DECAYS, n_simulations=n_simulations, rng=seeds[6])
    many = max(n_simulations, MIN_P_DRAWS)
    hit = look_elsewhere(strikes, bench.sites, BinomialNull(baseline, n), 500.0, n_simulations=many, rng=seeds[8])
    return {
        "raised incidence, cases and controls": raised_incidence_test(
            apart, np.arange(len(apart)) < n, n_simulations=n_simulations, rng=seeds[1]
        ).p_value,
        "raised incidence, baseline": kernel_raised_incidence_test(
            strikes, bench.sites, baseline, n_simulations=n_simulations, rng=seeds[2]
        ).p_value,
        "Stone, multinomial": stone_test(*rings, null="multinomial", n_simulations=n_simulations, rng=seeds[3]).p_value,
        "Stone MLR, multinomial": stone_test(
            *rings, null="multinomial", statistic="mlr", n_simulations=n_simulations, rng=seeds[4]
        ).p_value,
        "Stone, permutation of regions": stone_test(*regions, n_simulations=n_simulations, rng=seeds[5]).p_value,
        "focused score, four decays": float(scores.adjusted.min()),
        "count within 500 m, Poisson": float(ring_counts(distance, [0.0, 500.0], [within]).frame["p_value"].iloc[0]),
        "scan, discs to 3 km": scan_test(
            e, y, in_region[held], by_region[held], max_radius=3000.0, n_simulations=n_simulations, rng=seeds[7]
        ).p_value,
        "some building, min-p": float(hit.frame["p_after"].min()),
    }


def _regions(grid: Grid) -> tuple[Array, NDArray[np.intp]]:
    """Cut the box into squares of REGION_M: their centres, and the square of each cell."""
    e, n = grid.centres
    i, j = ((n - grid.south) // REGION_M).astype(np.intp), ((e - grid.west) // REGION_M).astype(np.intp)
    columns = int(j.max()) + 1
    square = i * columns + j
    rows = np.arange((int(i.max()) + 1) * columns)
    place = np.column_stack([grid.west + (rows % columns + 0.5) * REGION_M, grid.south + (rows // columns + 0.5) * REGION_M])
    return place, square


def calibrate_focused(
    study: Study,
    plan: Plan,
    *,
    n_worlds: int = 200,
    n_power: int = 100,
    n_simulations: int = 99,
    seed: int = 1,
    progress: Callable[[Iterable[Any], int, str], Iterable[Any]] = lambda items, total, label: items,
) -> FocusedCalibration:
    """Measure size (known baseline; kernel of the same strikes; salvos) and power along the excess ratio (known baseline).

    World k of kind i draws from the seed [seed, i, k]. Cost: about 0.3 s a world, on one core.

    Parameters
    ----------
    study, plan
        The study lends its window, buildings, attacks and number of located strikes; the places of its strikes are not used.
    n_worlds, n_power : int
        Worlds for each size and for each power.
    progress : callable
        Wraps an iterable, given its length and a label.
    """
    bench = _bench(study, plan)
    kinds = [("known", "none", 1.0), ("kernel", "none", 1.0), ("known", "salvos", 1.0)]
    kinds += [("known", truth, ratio) for truth in ("near", "broad", "one building") for ratio in RATIOS]
    estimator, rows, level = Kernel(bench.grid, BANDWIDTH_M), [], plan.primary.level
    for index, (baseline, truth, ratio) in enumerate(kinds):
        world, count = bench.world(truth, ratio), n_worlds if ratio == 1 else n_power
        rejected: dict[str, int] = {}
        for k in progress(range(count), count, f"{truth}, {ratio:g}, {baseline} baseline"):
            e, y = draw_strikes(world, bench.at, np.random.default_rng([seed, index, k]))
            strikes = PointPattern(e, y, study.window)
            known = bench.truth.intensity if baseline == "known" else estimator.fit(e, y)
            found = p_values(bench, strikes, known, n_simulations=n_simulations, rng=SeedSequence([seed, index, k, 1]))
            for test, p in found.items():
                rejected[test] = rejected.get(test, 0) + int(p <= level)
        rows += [
            {"test": t, "baseline": baseline, "truth": truth, "ratio": ratio, "worlds": count, "rejected": r, "share": r / count}
            for t, r in rejected.items()
        ]
    bound = float(binom.ppf(0.99, n_worlds, level) / n_worlds)
    attacks = bench.at.attack
    return FocusedCalibration(len(attacks), int(attacks.max()) + 1, bench.sites.n, n_simulations, level, bound, tuple(rows))
