"""Example A of the methods page, to the digits given there, and Berman's tests against R."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import Polygon

from analysis.pattern import InputError, PointPattern, Sites, Window
from analysis.proximity import berman_test, cdf_test, count_within
from analysis.proximity.berman import _anderson_darling_cdf, null_cdf


@pytest.fixture
def example(square, example_sites, example_hits):
    grid = square.grid(shape=(512, 512))
    cells = example_sites.distance(*grid.centres)
    flat = np.full(grid.shape, 10 / 512**2)
    e, n = grid.centres
    peak = np.exp(-((e - 5) ** 2 + (n - 5) ** 2) / 8)
    return example_sites.distance(example_hits.easting, example_hits.northing), cells, flat, peak / peak.sum() * 10


def test_constant_baseline(example):
    hits, cells, flat, _ = example
    assert round(berman_test(hits, cells, flat, kind="Z1").statistic, 4) == -0.7842
    assert round(berman_test(hits, cells, flat, kind="Z2").statistic, 3) == -1.822
    assert round(cdf_test(hits, cells, flat, kind="ks").statistic, 5) == 0.58775
    # the methods page gives 10.6209; ours differs by 3e-6 of it, from the linear CDF between cells
    assert cdf_test(hits, cells, flat, kind="ad").statistic == pytest.approx(10.6209, rel=5e-6)


def test_peaked_baseline_hides_a_thirteenfold_excess_from_z1(example):
    hits, cells, _, peak = example
    assert round(berman_test(hits, cells, peak, kind="Z1").statistic, 4) == 0.0642
    assert round(berman_test(hits, cells, peak, kind="Z2").statistic, 4) == -1.2301
    expected = peak[cells <= 0.5].sum()
    assert round(expected, 6) == pytest.approx(0.442677, abs=1e-6)
    assert count_within(hits, 0.5, expected).observed == 6


def test_berman_agrees_with_spatstat():
    """To 1 %: both at 512 × 512, but spatstat reads the covariate at the points from its own pixels."""
    r = json.loads((Path(__file__).parents[1] / "reference/spatstat.json").read_text())
    window = Window(Polygon(list(zip(*r["outer"], strict=True)), [list(zip(*r["hole"], strict=True))]))
    points, sites = PointPattern(r["x"], r["y"], window), Sites([2, 5, 8], [3, 2, 5], window)
    grid = window.grid(shape=(512, 512))
    cells = sites.distance(*grid.centres)[grid.inside]
    mass = np.full(cells.shape, points.n / len(cells))
    at = sites.distance(points.easting, points.northing)
    for kind, statistic, p in (("Z1", r["z1"][0], r["p1"][0]), ("Z2", r["z2"][0], r["p2"][0])):
        found = berman_test(at, cells, mass, kind=kind)
        assert found.statistic == pytest.approx(statistic, rel=1e-2)
        assert found.p_value == pytest.approx(p, rel=1e-2)


def test_alternatives_of_berman(example):
    hits, cells, flat, _ = example
    p = {side: berman_test(hits, cells, flat, kind="Z2", alternative=side).p_value for side in ("closer", "farther", "two-sided")}
    assert p["closer"] + p["farther"] == pytest.approx(1)
    assert p["two-sided"] == pytest.approx(2 * p["closer"])
    assert p["closer"] < 0.05 < p["two-sided"]


def test_shares_of_a_baseline_by_hand():
    """Cells at 1, 2 (twice) and 4 hold a quarter each: F0 is 0 below the first, ¼, ½ halfway to ¾, ¾, ⅞ halfway, 1 from the last on."""
    at = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 9.0])
    assert null_cdf(at, np.array([1.0, 2.0, 4.0, 2.0]), np.full(4, 3.0)).tolist() == [0, 0.25, 0.5, 0.75, 0.875, 1, 1]


def test_anderson_darling_levels():
    """The asymptotic 25, 10, 5, 2.5 and 1 % points of Stephens (1974), case 0; the first on the other branch."""
    points = [1.248, 1.933, 2.492, 3.070, 3.857]
    assert [_anderson_darling_cdf(z) for z in points] == pytest.approx([0.75, 0.9, 0.95, 0.975, 0.99], abs=5e-4)
    assert _anderson_darling_cdf(2 - 1e-9) == pytest.approx(_anderson_darling_cdf(2), abs=1e-5)


@pytest.mark.parametrize(
    ("observed", "expected", "ratio", "low", "high"), [(6, 4.2, 1.43, 0.5243, 3.1094), (48, 44.5, 1.08, 0.7953, 1.4301)]
)
def test_garwood(observed, expected, ratio, low, high):
    found = count_within(np.r_[np.ones(observed), np.full(9, 7.0)], 5, expected)
    assert (found.observed, round(found.ratio, 2)) == (observed, ratio)
    assert [round(v, 4) for v in found.interval] == [low, high]


@pytest.mark.parametrize("observed", [0, 1, 3, 9, 30])
@pytest.mark.parametrize("expected", [0.2, 2.0, 9.0, 17.5])
def test_interval_leaves_out_one_exactly_when_p_is_small(observed, expected):
    found = count_within(np.ones(observed), 2, expected)
    low, high = found.interval
    assert (low <= 1 <= high) == (found.p_value >= 0.05)


def test_refusals(example):
    hits, cells, flat, _ = example
    for make, said in (
        (lambda: berman_test([], cells, flat), "no strikes"),
        (lambda: berman_test(hits, cells, flat * 0), "sum above zero"),
        (lambda: berman_test(hits, cells * np.nan, flat), "finite"),
        (lambda: berman_test(hits, cells, flat, kind="Z3"), "Z1 or Z2"),
        (lambda: berman_test(hits, cells, flat, alternative="less"), "closer, farther"),
        (lambda: berman_test(hits, cells * 0, flat, kind="Z1"), "zero everywhere"),
        (lambda: cdf_test(hits, cells, flat, kind="x"), "ks, cvm or ad"),
        (lambda: cdf_test(hits[:1], cells, flat), "two strikes at least"),
        (lambda: count_within(hits, 1, 0.0), "above zero"),
        (lambda: count_within([np.nan], 1, 1.0), "not negative"),
    ):
        with pytest.raises(InputError, match=said):
            make()
