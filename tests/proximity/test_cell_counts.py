"""The route by cell counts: exactly cross-K for the same draws, the same distribution as drawing points, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp
from shapely.geometry import box

from analysis.null import BinomialNull, PoissonNull, seed_sequence
from analysis.pattern import InputError, Intensity, PointPattern, Sites, Window
from analysis.proximity import cross_k, cross_k_draws, cross_k_of_counts

pytestmark = pytest.mark.filterwarnings("error")
RADII = np.array([0.6, 1.0, 1.7])


@pytest.fixture
def known(holed):
    grid = holed.grid(shape=(40, 40))
    peak = Intensity(np.where(grid.inside, np.exp(-grid.centres[0] / 4), 0.0), grid, "known")
    return peak.times(60 / peak.total)


@pytest.fixture
def sites(holed):
    return Sites([2, 5, 8, 7], [3, 2, 5, 8], holed)


@pytest.mark.parametrize("correction", ["border", "translate", "isotropic", None])
@pytest.mark.parametrize("kind", [BinomialNull, PoissonNull])
def test_both_routes_agree_exactly_for_the_same_cell_draws(holed, known, sites, correction, kind):
    null, weights = kind(known, 60), [1.0, 2.0, 0.5, 1.0]
    radii = RADII if correction != "border" else RADII[:2]
    options = {"correction": correction, "intensity_origins": weights}
    cells, _ = cross_k_of_counts(sites, null, radii, **options)
    _, by_cells = cross_k_draws(sites, sites, null, radii, n_simulations=5, rng=3, **options)
    counts = null.draw_counts(seed_sequence(3), 0, 5, cells).toarray().astype(int)
    assert counts.sum() > 0
    east, north = (axis.ravel() for axis in known.grid.centres)
    for k in range(5):
        at = np.repeat(cells, counts[k])
        strikes = PointPattern(east[at], north[at], holed)
        lam = known.at(strikes.easting, strikes.northing)
        assert by_cells[k] == pytest.approx(cross_k(sites, strikes, radii, intensity_targets=lam, **options).observed, rel=1e-9)


@pytest.mark.parametrize("kind", [BinomialNull, PoissonNull])
@pytest.mark.parametrize("n", [60, 4000])  # fewer and more strikes than cells
def test_both_routes_agree_in_distribution(holed, known, sites, kind, n):
    """Points drawn and read at their cells' centres against counts drawn: Kolmogorov–Smirnov at each radius, level 1e-3; equal means."""
    known = known.times(n / known.total)
    null = kind(known, n)
    _, by_cells = cross_k_draws(sites, sites, null, RADII, n_simulations=300, rng=1)
    draws = null.draw(seed_sequence(2), 0, 300)
    at = known.grid.cell(draws.easting, draws.northing)
    centred = [PointPattern(*(axis.ravel()[at[draws.replicate == k]] for axis in known.grid.centres), holed) for k in range(300)]
    by_points = np.array([cross_k(sites, p, RADII, intensity_targets=known.at(p.easting, p.northing)).observed for p in centred])
    error = np.sqrt((by_cells.var(axis=0) + by_points.var(axis=0)) / 300)
    assert (np.abs(by_cells.mean(axis=0) - by_points.mean(axis=0)) < 4 * error).all()
    for column in range(len(RADII)):
        assert ks_2samp(by_cells[:, column], by_points[:, column]).pvalue > 1e-3


def test_the_observed_curve_is_read_as_the_draws_are(holed, known, sites):
    """On a fine grid it is cross-K of the strikes themselves, up to the few that change sides of a circle."""
    grid = holed.grid(shape=(512, 512))
    fine = Intensity(np.where(grid.inside, np.exp(-grid.centres[0] / 4), 0.0), grid, "known")
    strikes = PointPattern(*holed.sample(5000, rng=np.random.default_rng(1)), holed)
    observed, _ = cross_k_draws(sites, strikes, PoissonNull(fine), RADII, n_simulations=1, rng=1)
    exact = cross_k(sites, strikes, RADII, intensity_targets=np.exp(-strikes.easting / 4)).observed
    assert observed == pytest.approx(exact, rel=0.02)


def test_draws_depend_on_the_seed_alone(known, sites, monkeypatch):
    null = BinomialNull(known, 60)
    _, once = cross_k_draws(sites, sites, null, RADII, n_simulations=7, rng=1)
    monkeypatch.setattr("analysis.proximity.cell_counts.CHUNK", 1)
    assert (cross_k_draws(sites, sites, null, RADII, n_simulations=7, rng=1)[1] == once).all()
    assert (cross_k_draws(sites, sites, null, RADII, n_simulations=7, rng=2)[1] != once).any()


def test_binomial_counts_add_up(known):
    null = BinomialNull(known, 60)
    every = np.flatnonzero(known.grid.inside)
    assert null.draw_counts(seed_sequence(1), 0, 4, every).sum(axis=1).tolist() == [60] * 4


def test_refusals(square, known, sites):
    strata = BinomialNull(known, 2, np.zeros(2, np.intp), np.zeros(known.grid.shape, np.intp))
    coarse = Window(box(0, 0, 10, 10)).grid(shape=(2, 2))
    far = PoissonNull(Intensity(np.ones((2, 2)), coarse, "flat"))
    corner = Sites([5], [5], square)
    for make, said in (
        (lambda: cross_k_draws(sites, sites, strata, RADII, n_simulations=9, rng=1), "without strata"),
        (lambda: cross_k_draws(corner, corner, far, [0.5], n_simulations=9, rng=1), "no cell lies this near"),
        (lambda: cross_k_draws(Sites([], [], square), corner, far, [5], n_simulations=9, rng=1), "there are no points"),
        (lambda: cross_k_draws(corner, Sites([], [], square), far, [5], n_simulations=9, rng=1), "column targets: there are no points"),
        (lambda: cross_k_draws(corner, sites, far, [5], n_simulations=9, rng=1), "in one window"),
        (lambda: cross_k_draws(corner, corner, far, [6], correction="border", n_simulations=9, rng=1), "far from the boundary"),
    ):
        with pytest.raises(InputError, match=said):
            make()
