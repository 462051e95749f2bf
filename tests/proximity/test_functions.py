"""Summary functions: example B, values from R, cases worked by hand, properties, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, box

from analysis.pattern import InputError, PointPattern, Sites, Window, overlap
from analysis.proximity import (
    cross_g,
    cross_j,
    cross_k,
    f_function,
    g_function,
    j_function,
    k_function,
    l_function,
    nearest_distance,
    pair_correlation,
    rho_hat,
)
from analysis.proximity.edge import isotropic_weights, translation_weights

R = json.loads((Path(__file__).parents[1] / "reference/functions.json").read_text())
pytestmark = pytest.mark.filterwarnings("error")


def intensity(points):
    return 4 * np.exp(-0.25 * points.easting)


@pytest.fixture
def strikes(holed):
    return PointPattern(R["x"], R["y"], holed)


@pytest.fixture
def sites(holed):
    return Sites(R["sx"], R["sy"], holed)


@pytest.fixture
def pieces():
    """Two squares and, in one of them, a hole."""
    return Window(MultiPolygon([box(0, 0, 4, 4).difference(box(1, 1, 2, 2)), box(5, 0, 8, 4)]))


def test_example_b(square, example_sites):
    lattice = np.meshgrid(np.arange(0.5, 10), np.arange(0.5, 10))
    to = PointPattern(lattice[0].ravel(), lattice[1].ravel(), square)
    for correction, expected in (
        (None, [0, 4, 4, 12, 16]),
        ("translate", [0, 4.432133, 4.432133, 14.339254, 19.875586]),
        ("isotropic", [0, 4, 4, 12, 16.323451]),
    ):
        assert cross_k(example_sites, to, [0.5, 1, 1.5, 2, 2.5], correction=correction).observed == pytest.approx(expected, abs=5e-7)


def against(name, found, tolerance=1e-8):
    """Compare where R gives a value; the border correction ends where no point is far enough from the boundary."""
    reference = np.array(R[name], float)
    known = np.isfinite(reference)
    assert known.sum() >= 4
    assert found(np.array(R["r"])[known]).observed == pytest.approx(reference[known], abs=tolerance * max(1, reference[known].max()))


NAMES = {"un": None, "border": "border", "iso": "isotropic", "trans": "translate"}


@pytest.mark.parametrize("name", NAMES)
def test_k_in_a_holed_polygon_agrees_with_spatstat(strikes, sites, name):
    against(f"k_{name}", lambda r: k_function(strikes, r, correction=NAMES[name]))
    against(f"kcross_{name}", lambda r: cross_k(sites, strikes, r, correction=NAMES[name]))


@pytest.mark.parametrize("name", ["border", "iso"])
def test_inhomogeneous_k_agrees_with_spatstat(strikes, sites, name):
    at = {"intensity_origins": intensity(sites), "intensity_targets": intensity(strikes)}
    against(f"kinhom_{name}", lambda r: k_function(strikes, r, correction=NAMES[name], intensity=intensity(strikes)))
    against(f"kcrossinhom_{name}", lambda r: cross_k(sites, strikes, r, correction=NAMES[name], **at))


def test_renormalisation_and_pixels(strikes):
    lam = intensity(strikes)
    against("kinhomraw_iso", lambda r: k_function(strikes, r, correction="isotropic", intensity=lam, renormalise=False))
    # spatstat reads a polygon's overlap with itself from a 128 × 128 mask here; ours is exact
    against("kinhom_trans", lambda r: k_function(strikes, r, correction="translate", intensity=lam), 1e-2)


@pytest.mark.parametrize("name", ["iso", "trans"])
def test_k_in_a_rectangle_agrees_with_spatstat(name):
    window = Window(box(0, 0, 10, 6))
    points, from_ = PointPattern(R["qx"], R["qy"], window), Sites(R["tx"], R["ty"], window)
    against(f"qk_{name}", lambda r: k_function(points, r, correction=NAMES[name]))
    against(f"qkinhom_{name}", lambda r: k_function(points, r, correction=NAMES[name], intensity=intensity(points)))
    against(f"qkcross_{name}", lambda r: cross_k(from_, points, r, correction=NAMES[name]))


def test_nearest_neighbour_functions_agree_with_spatstat(strikes, sites):
    against("g_raw", lambda r: g_function(strikes, r, correction=None))
    against("g_rs", lambda r: g_function(strikes, r, correction="border"))
    against("g_km", lambda r: g_function(strikes, r, correction="km"))
    against("gcross_rs", lambda r: cross_g(sites, strikes, r, correction="border"))
    against("gcross_km", lambda r: cross_g(sites, strikes, r, correction="km"))
    against("ginhom", lambda r: g_function(strikes, r, correction="border", intensity=intensity(strikes)))
    # F is read on a grid: spatstat measures distances between its pixels, we measure them exactly at cell centres
    against("f_rs", lambda r: f_function(strikes, r, correction="border", shape=(256, 256)), 6e-3)
    against("f_km", lambda r: f_function(strikes, r, shape=(256, 256)), 6e-3)
    against("finhom", lambda r: f_function(strikes, r, correction="border", intensity=intensity(strikes)), 1e-2)
    reference = np.array(R["j_km"][:4])
    assert j_function(strikes, R["r"][:4], shape=(256, 256)).observed == pytest.approx(reference, abs=1e-2)


def test_pair_correlation_agrees_with_spatstat(strikes):
    """To 1e-3: spatstat's kernel is interpolated from an FFT of binned distances."""
    bandwidth = R["pcf_bandwidth"][0]
    against("pcf_iso", lambda r: pair_correlation(strikes, r, correction="isotropic", bandwidth=bandwidth), 1e-3)


@pytest.mark.parametrize(("method", "tolerance"), [("ratio", 1e-3), ("reweight", 1e-3), ("transform", 2e-2)])
def test_rho_agrees_with_spatstat(strikes, sites, method, tolerance):
    """Spatstat bins as above, and takes the null's distribution from smoothed values for the transform."""
    grid = strikes.window.grid(shape=(512, 512))
    cells = sites.distance(*grid.centres)[grid.inside]
    mass = np.full(len(cells), strikes.n / len(cells))
    at = sites.distance(strikes.easting, strikes.northing)
    found = rho_hat(at, cells, mass, method=method, z=np.arange(1, 9) / 5, bandwidth=0.1 if method == "transform" else 0.3)
    assert found.rho == pytest.approx(R[f"rho_{method}"], rel=tolerance)
    assert found.upper == pytest.approx(R[f"rho_{method}_hi"], rel=tolerance)


@pytest.mark.parametrize("method", ["ratio", "transform"])
def test_rho_is_one_where_the_baseline_is_true(method):
    """Strikes spread exactly as expected: the middle of each of 400 shares of a baseline that falls with the covariate."""
    cells = (np.arange(20_000) + 0.5) / 20_000
    mass = 400 * np.exp(-2 * cells) / np.exp(-2 * cells).sum()
    strikes = np.interp(np.arange(400) + 0.5, np.cumsum(mass), cells)
    found = rho_hat(strikes, cells, mass, method=method)
    assert found.rho == pytest.approx(np.ones(128), abs=0.01)
    assert ((found.lower < 1) & (found.upper > 1)).all()


def test_isotropic_weights_against_circles_walked_round(holed, pieces):
    angle = (np.arange(20_000) + 0.5) * 2 * np.pi / 20_000
    for window in (holed, pieces):
        rng = np.random.default_rng(1)
        origin, radius = np.column_stack(window.sample(60, rng=rng)), rng.uniform(0, 5, 60)
        walked = [window.contains(x + d * np.cos(angle), y + d * np.sin(angle)).mean() for (x, y), d in zip(origin, radius, strict=True)]
        assert 1 / isotropic_weights(window, origin, radius) == pytest.approx(np.maximum(walked, 0.01), abs=2e-4)


def test_isotropic_weights_at_the_boundary(square):
    """On an edge half a small circle is inside; in a corner a quarter; a circle that only touches edges lies inside."""
    origin = np.array([[0, 5], [0, 0], [5, 5], [5, 5], [0, 0]], float)
    radius = np.array([1, 1, 5, np.hypot(5, 5), np.hypot(10, 10)])
    # the circle through all four corners is outside, as is the one around a corner through the opposite one: both get the largest weight
    assert isotropic_weights(square, origin, radius) == pytest.approx([2, 4, 1, 100, 100])


def test_translation_weights(holed, pieces, square):
    shift = np.random.default_rng(2).uniform(-5, 5, (100, 2))
    for window in (holed, pieces, square):
        overlap = np.array([window.polygon.intersection(translate(window.polygon, *h)).area for h in shift])
        expected = window.area / np.maximum(overlap, window.area / 100)
        assert translation_weights(window, *shift.T) == pytest.approx(expected, rel=1e-9)
    assert translation_weights(square, np.array([2.0]), np.array([-5.0])) == pytest.approx([100 / (8 * 5)])


def test_many_pairs_read_the_table(strikes, monkeypatch):
    """Distances up to 2 in a window with a hole 2 wide: past the smallest feature, so to 1e-4 only."""
    exact = k_function(strikes, R["r"]).observed
    monkeypatch.setattr(overlap, "FEW", 0)
    assert k_function(strikes, R["r"]).observed == pytest.approx(exact, rel=1e-4)


def test_by_hand(square):
    """Points (4,5) (5,5) (5,8): distances 1, 3, √10. K = 100/(3·2) × ordered pairs; a pair at exactly r counts."""
    points = PointPattern([4, 5, 5], [5, 5, 8], square)
    r = np.array([0.999, 1.0, 3.0, 3.2])
    assert k_function(points, r, correction=None).observed == pytest.approx(np.array([0, 2, 4, 6]) * 100 / 6)
    # boundary distances 4, 5, 2: from r = 3 only the first two count; λ = 3/100
    assert k_function(points, r, correction="border").observed == pytest.approx([0, 2 / 3 / 0.03, 3 / 2 / 0.03, 4 / 2 / 0.03])
    assert g_function(points, r, correction=None).observed == pytest.approx([0, 2 / 3, 1, 1])
    assert g_function(points, r, correction="border").observed == pytest.approx([0, 2 / 3, 1, 1])
    # Kaplan–Meier: two of three reach a neighbour at 1; the third is censored at 2
    assert g_function(points, r).observed == pytest.approx([0, 2 / 3, 2 / 3, 2 / 3])
    assert nearest_distance(points).tolist() == [1, 1, 3]
    assert l_function(k_function(points, r, correction=None)).observed[1] == pytest.approx(np.sqrt(200 / 6 / np.pi))


def test_inhomogeneous_by_hand(square):
    """λ = (1, 2): Σ 1/(λ_1 λ_2) over both orders is 1, over |W| = 100; renormalised by 100 / 1.5."""
    points = PointPattern([4, 5], [5, 5], square)
    assert k_function(points, [1], correction=None, intensity=[1, 2], renormalise=False).observed[0] == pytest.approx(0.01)
    assert k_function(points, [1], correction=None, intensity=[1, 2]).observed[0] == pytest.approx(1 / 1.5)
    # from the second point, its neighbour has λ_min and stays: factor 0; from the first, a factor 1 − 1/2 remains
    assert g_function(points, [1], correction="border", intensity=[1, 2]).observed[0] == pytest.approx(1 - (0.5 + 0) / 2)


def test_constant_intensities_change_nothing(strikes, sites):
    r = np.array([0.3, 0.7])
    flat = np.full(strikes.n, strikes.n / strikes.window.area)
    plain = cross_k(sites, strikes, r).observed
    assert cross_k(sites, strikes, r, intensity_targets=flat).observed == pytest.approx(plain)
    assert g_function(strikes, r, correction="border", intensity=flat).observed == pytest.approx(
        g_function(strikes, r, correction="border").observed
    )
    both = pair_correlation(strikes, r, targets=strikes.subset(np.arange(strikes.n) < 9)).observed
    assert (both > 0).all()


@given(seed=st.integers(0, 2**32 - 1), angle=st.floats(0, 6), correction=st.sampled_from(["border", "translate", "isotropic", None]))
def test_k_knows_neither_place_direction_nor_order(seed, angle, correction):
    rng = np.random.default_rng(seed)
    polygon = box(0, 0, 6, 4).difference(box(2, 1, 3, 2))
    window = Window(polygon)
    e, n = window.sample(12, rng=rng)
    inner = window.boundary_distance(e, n) > 1e-6  # turning rounds: a point on the boundary may leave the window
    e, n = e[inner], n[inner]
    r = [0.1, 0.3]
    moved = Window(translate(shapely.affinity.rotate(polygon, angle, origin=(0, 0), use_radians=True), 100, -50))
    turned = np.array([np.cos(angle) * e - np.sin(angle) * n + 100, np.sin(angle) * e + np.cos(angle) * n - 50])[:, rng.permutation(len(e))]
    before, after = (PointPattern(*xy, w) for xy, w in (((e, n), window), (turned, moved)))
    assert k_function(after, r, correction=correction).observed == pytest.approx(k_function(before, r, correction=correction).observed)


@given(seed=st.integers(0, 2**32 - 1), correction=st.sampled_from(["translate", "isotropic", None]))
def test_k_of_the_union_is_made_of_its_parts(holed_window, seed, correction):
    """n(n−1) K = Σ n_a(n_a−1) K_aa + Σ n_a n_b K_ab: every ordered pair is in one part."""
    a, b = (PointPattern(*holed_window.sample(n, rng=np.random.default_rng([seed, n])), holed_window) for n in (5, 7))
    union = PointPattern(np.r_[a.easting, b.easting], np.r_[a.northing, b.northing], holed_window)
    r = [0.5, 1.5]
    parts = 20 * k_function(a, r, correction=correction).observed + 42 * k_function(b, r, correction=correction).observed
    parts += 35 * (cross_k(a, b, r, correction=correction).observed + cross_k(b, a, r, correction=correction).observed)
    assert 132 * k_function(union, r, correction=correction).observed == pytest.approx(parts)


@pytest.fixture(scope="module")
def holed_window():
    return Window(box(0, 0, 6, 5).difference(box(2, 1, 3, 3)))


def test_a_poisson_pattern_has_its_theoretical_functions(square):
    rng = np.random.default_rng(5)
    runs = [PointPattern(*square.sample(200, rng=rng), square) for _ in range(24)]
    r = np.array([0.2, 0.4])
    for f in (k_function, g_function, f_function, j_function):
        found = [f(points, r) for points in runs]
        values = np.array([one.observed for one in found])
        error = values.std(axis=0) / np.sqrt(len(runs))
        assert (np.abs(values.mean(axis=0) - found[0].theoretical) < 4 * error + 2e-3).all()
    j = np.array([cross_j(a, b, r).observed for a, b in zip(runs[1:], runs[:-1], strict=True)])
    assert (np.abs(j.mean(axis=0) - 1) < 4 * j.std(axis=0) / np.sqrt(len(j)) + 2e-3).all()


def test_coincident_and_boundary_points(square):
    """Two at one place are a pair at distance 0; points on the boundary and in a corner are in the window."""
    points = PointPattern([0, 0, 10, 10], [0, 0, 10, 5], square)
    for correction in ("translate", "isotropic", None):
        assert k_function(points, [0], correction=correction).observed == pytest.approx([2 * 100 / 12])
        assert np.isfinite(k_function(points, [1, 8, 20], correction=correction).observed).all()
    assert g_function(points, [0], correction=None).observed == [0.5]
    assert k_function(points, [0], correction="border").observed == pytest.approx([2 / 4 / 0.04])


def test_a_window_of_several_pieces(pieces):
    points = PointPattern(*pieces.sample(30, rng=np.random.default_rng(1)), pieces)
    for correction in ("border", "translate", "isotropic", None):
        found = k_function(points, [0.1, 0.2], correction=correction)
        assert np.isfinite(found.observed).all()
        assert "edge correction" in str(found)
        assert found.to_dict()["distance"] == [0.1, 0.2]


def test_refusals(square, example_sites, example_hits):
    empty, one = PointPattern([], [], square), PointPattern([1], [1], square)
    elsewhere = PointPattern([1], [1], Window(box(0, 0, 2, 2)))
    z = np.array([1.0, 2.0])
    for make, said in (
        (lambda: k_function(empty, [1]), "two points at least"),
        (lambda: k_function(one, [1]), "two points at least"),
        (lambda: cross_k(empty, example_hits, [1]), "column intensity_origins: there are no points"),
        (lambda: cross_k(example_sites, empty, [1]), "column intensity_targets: there are no points"),
        (lambda: cross_k(example_sites, elsewhere, [1]), "one window"),
        (lambda: k_function(example_hits, [2, 1]), "increasing"),
        (lambda: k_function(example_hits, []), "increasing"),
        (lambda: k_function(example_hits, [-1, 1]), "not negative"),
        (lambda: k_function(example_hits, [1, np.nan]), "finite"),
        (lambda: k_function(example_hits, [1], correction="none"), "border, translate, isotropic or None"),
        (lambda: k_function(example_hits, [1], intensity=np.zeros(10)), "one positive number for each point"),
        (lambda: k_function(example_hits, [1], intensity=[1.0]), "one positive number for each point"),
        (lambda: k_function(example_hits, [6], correction="border"), "lies this far from the boundary"),
        (lambda: g_function(one, [1]), "nothing to measure"),
        (lambda: f_function(empty, [1]), "nothing to measure"),
        (lambda: cross_g(example_sites, empty, [1]), "nothing to measure"),
        (lambda: g_function(example_hits, [6], correction="border"), "lies this far from the boundary"),
        (lambda: g_function(example_hits, [1], intensity=np.ones(10)), "needs the border correction"),
        (lambda: g_function(example_hits, [1], correction="translate"), "km, border or None"),
        (lambda: j_function(example_hits, [1, 14], correction=None), "J is not defined"),
        (lambda: nearest_distance(one), "nothing to measure"),
        (lambda: pair_correlation(example_hits, [0, 1]), "above zero"),
        (lambda: pair_correlation(one, [1]), "two points at least"),
        (lambda: pair_correlation(example_hits, [1], bandwidth=0), "positive number"),
        (lambda: pair_correlation(example_hits, [1], correction="border"), "translate, isotropic or None"),
        (lambda: rho_hat([], z, z), "no strikes"),
        (lambda: rho_hat(z, z, z, method="x"), "ratio, reweight or transform"),
        (lambda: rho_hat([1.0], z, z), "must differ"),
        (lambda: rho_hat(z, z, z, bandwidth=-1), "positive"),
        (lambda: rho_hat(z, z, z, bandwidth=0.1, z=[9]), "near this value"),
        (lambda: rho_hat(z, z, z, level=1), "between 0 and 1"),
    ):
        with pytest.raises(InputError, match=said):
            make()
