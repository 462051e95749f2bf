"""Miss distances and CEP priors: the check values of the methods, cases worked by hand, and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from analysis.aim import Aim, Spread, aim_likelihood_ratio, cep_prior, miss_probability
from analysis.aim.cep import GRID
from analysis.pattern import InputError


def test_the_check_values_of_the_methods():
    assert miss_probability(50, [30, 70], offset=100) == pytest.approx([0.0160411, 0.0908703], abs=5e-8)
    assert float(miss_probability(50, 30, offset=100)) == pytest.approx(0.0160411, abs=5e-8)  # single numbers as well as arrays
    assert aim_likelihood_ratio(26, 7, disc_radius=500) == pytest.approx(0.249, abs=5e-4)
    assert aim_likelihood_ratio(26, [20, 30], disc_radius=500) == pytest.approx([134, 114], abs=0.5)
    assert aim_likelihood_ratio(26, [70, 150], disc_radius=500) == pytest.approx([32.1, 7.5], abs=0.05)


def test_half_of_all_misses_are_shorter_than_the_cep():
    assert miss_probability([30, 60, 0], 30) == pytest.approx([0.5, 1 - 2**-4, 0])
    assert aim_likelihood_ratio([500, 501], 30, disc_radius=500)[1] == np.inf


@given(r=st.floats(0, 3000), cep=st.floats(1, 3000), d=st.floats(0, 5000))
def test_a_probability_falls_as_the_aim_point_moves_away(r, cep, d):
    near, far = miss_probability(r, cep, offset=[d, d + 50])
    assert 0 <= far <= near + 1e-12 <= 1 + 2e-12


@pytest.mark.parametrize(("r", "cep", "d"), [(-1, 30, 0), (1, 0, 0), (1, -3, 0), (1, 30, -1), (np.nan, 30, 0), (1, np.inf, 0)])
def test_bad_distances_are_one_line(r, cep, d):
    with pytest.raises(InputError) as said:
        miss_probability(r, cep, offset=d)
    assert "\n" not in str(said.value)
    with pytest.raises(InputError):
        aim_likelihood_ratio(5, cep if cep != 30 else 0, disc_radius=500)
    with pytest.raises(InputError, match=r"column radius, value '-2\.0'"):  # the one that is bad
        miss_probability([5, -2], 30)


@pytest.mark.parametrize("freedom", [1.0, 3.0, 8.0])
def test_a_heavier_tail_keeps_the_cep_and_has_the_closed_form(freedom):
    v, w = Spread(freedom).variances(100.0)
    assert (1 - np.exp(-(100**2) / (2 * v))) @ w == pytest.approx(0.5, abs=1e-6)
    scale = 100**2 / (freedom * (2 ** (2 / freedom) - 1))
    for d in (0.0, 100.0, 3000.0):
        exact = (1 + d**2 / (freedom * scale)) ** (-(freedom / 2 + 1)) / (2 * np.pi * scale)
        assert (np.exp(-(d**2) / (2 * v)) / (2 * np.pi * v)) @ w == pytest.approx(exact, rel=1e-4)
    with pytest.raises(InputError):
        Spread(0.0)


def test_location_error_adds_to_the_variance():
    # σ = CEP/√(2 ln 2) = 100 at CEP 117.741; with an error of 75 on each axis, √(100² + 75²) = 125
    at = Aim("a", 0, 0).density(np.array([50.0]), np.array([0.0]), 100 * np.sqrt(2 * np.log(2)), 75.0, Spread())
    assert at[0, 0] == pytest.approx(np.exp(-0.5 * 50**2 / 125**2) / (2 * np.pi * 125**2))
    # as much error of the aim point's own, and of both, for a point, a disc and the mass of a disc
    for radius in (0.0, 80.0):
        own, both = (Aim("a", 0, 0, radius, error) for error in (75.0, 60.0))
        for k in (lambda aim, error: aim.density(np.array([50.0]), np.array([0.0]), 30.0, error, Spread()),
                  lambda aim, error: aim.mass(Aim("s", 90, 0), 100.0, 30.0, error, Spread())):  # fmt: skip
            assert k(own, 0.0) == pytest.approx(k(replace(own, error=0.0), 75.0))
            assert k(both, 45.0) == pytest.approx(k(own, 0.0))


@pytest.mark.parametrize("spread", [Spread(), Spread(3.0)])
def test_a_disc_and_its_polygon_agree_and_hold_all_probability(spread):
    disc = Aim("plant", 100, -50, 300, 40)
    polygon = Aim("plant", 100, -50, 0, 40, shapely.Point(100, -50).buffer(300, quad_segs=64))
    x, y = np.meshgrid(np.arange(-2975, 3000, 50.0), np.arange(-2975, 3000, 50.0))
    flat = disc.density(x.ravel(), y.ravel(), [60.0], 30.0, spread)[0]
    assert flat.sum() * 2500 == pytest.approx(1, abs=4e-3)
    some = slice(0, None, 499)
    found = polygon.density(x.ravel()[some], y.ravel()[some], [60.0], 30.0, spread)[0]
    assert found == pytest.approx(flat[some], rel=0.06, abs=2e-9)
    inside = np.hypot(x - 500, y) <= 500
    assert disc.mass(Aim("s", 500, 0), 500.0, [60.0], 30.0, spread)[0, 0] == pytest.approx(flat[inside.ravel()].sum() * 2500, abs=1e-2)


def weapons(*rows) -> pd.DataFrame:
    columns = ["weapon", "class", "cep_m_low", "cep_m_high", "source_publisher", "seen_here", "note"]
    return pd.DataFrame([[*row[:4], "someone", True, row[4] if len(row) > 4 else None] for row in rows], columns=columns)


def test_every_claim_counts_the_same_and_a_single_figure_is_one_node():
    table = weapons(
        ("A 1", "ballistic", 10.0, 30.0), ("A 1", "ballistic", 500.0, 500.0), ("A 1", "ballistic", 0.3, 0.3, "a boast, not a CEP")
    )
    prior = cep_prior(table, "ballistic")
    assert prior.weight.sum() == pytest.approx(1)
    assert prior.weight[np.argmin(np.abs(np.log(GRID / 500)))] == pytest.approx(0.5)
    assert prior.weight[(GRID > 9) & (GRID < 33)].sum() == pytest.approx(0.5)
    assert (prior.low, prior.high, len(prior.claims)) == (10, 500, 2)
    # log-uniform: the middle of 10 to 30 is √300 = 17.3
    assert prior.weight[(GRID > 9) & (GRID < 300**0.5)].sum() == pytest.approx(0.25, abs=0.05)
    assert cep_prior(table, "ballistic", pooled=True).weight[(GRID > 33) & (GRID < 450)].sum() > 0.5


def test_weapons_are_found_by_class_and_by_name(kyiv):
    table = kyiv.tables["weapons"]
    assert {c[0] for c in cep_prior(table, "Iskander-type missile").claims} == {"Iskander-M 9M723", "Iskander-K 9M728"}
    assert cep_prior(table, "Kinzhal").high == 50
    assert cep_prior(table, "Missile (type not stated)").high == 5000
    assert {c[0] for c in cep_prior(table, "drones").claims} == {"Shahed-136/Geran-2"}


@pytest.mark.parametrize(
    ("table", "weapon"),
    [
        (weapons(("A 1", "ballistic", 10.0, 30.0)), "trebuchet"),
        (weapons(("A 1", "ballistic", 10.0, 30.0)), "artillery_mlrs"),
        (weapons(("A 1", "ballistic", None, None)), "A"),
        (weapons(("A 1", "ballistic", 0.0, 30.0)), "A"),
        (weapons(("A 1", "ballistic", 40.0, 30.0)), "A"),
        (weapons(("A 1", "ballistic", 9000.0, 9500.0)), "A"),
    ],
)
def test_a_weapon_without_a_usable_cep_is_one_line(table, weapon):
    with pytest.raises(InputError) as said:
        cep_prior(table, weapon)
    assert "\n" not in str(said.value)
