"""Rival explanations: the hand-worked ratio, attacks, what cannot be told apart, and worlds of each truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import SeedSequence
from shapely.geometry import box

from analysis.aim import Aim, CepPrior, Likelihoods, Rivals, Spread, aim_likelihood_ratio, compare_explanations, confusion, verbal
from analysis.aim.cep import GRID
from analysis.aim.explanations import BACKGROUND, EITHER, SITE, UNDECIDED, WRONG
from analysis.pattern import InputError, Intensity, Window

PLANT = Aim("plant", 700.0, 0.0, 200.0, 50.0)


def flat() -> Intensity:
    grid = Window(box(-5000, -5000, 5000, 5000)).grid(spacing=100)
    return Intensity(np.where(grid.inside, 1e-6, 0.0), grid, "flat")


def rivals(*aims: Aim, **options) -> Rivals:
    return Rivals(Aim("site", 0, 0), aims, flat(), np.array([[0.0, 0.0], *([a.easting, a.northing] for a in aims)]), **options)


def known(cep: float) -> CepPrior:
    weight = (np.array([cep]) == cep).astype(float)
    return CepPrior("known", np.array([cep]), weight, (("known", cep, cep, "", True),))


WIDE = CepPrior("wide", GRID, np.where((GRID > 5) & (GRID < 60), 1.0, 0) / ((GRID > 5) & (GRID < 60)).sum(), (("w", 5, 60, "", True),))


@pytest.mark.parametrize("cep", [7.0, 20.0, 30.0, 70.0])
def test_against_a_flat_background_it_is_the_ratio_of_the_methods(cep):
    found = compare_explanations([26.0], [0.0], Likelihoods(rivals(), 500.0), known(cep), error=0.0)
    # the disc holds all but 2^−(500/70)² of the shots at the site
    assert found.ratio(SITE, BACKGROUND) == pytest.approx(float(aim_likelihood_ratio(26, cep, disc_radius=500)), rel=1e-3)
    others = [1 / found.ratio(SITE, name) for name in found.names[1:]]
    assert found.sets[0]["ratio"] == pytest.approx(1 / np.mean(others))
    assert found.along_cep[0, 0] - found.along_cep[-1, 0] == pytest.approx(np.log(found.ratio(SITE, BACKGROUND)))


def test_a_wrong_address_is_the_uniform_disc_of_its_radius():
    # far inside 250 m and with σ ≪ 250 m its density is 1/π250²; over the background on 500 m that is (500/250)² = 4
    found = compare_explanations([26.0], [0.0], Likelihoods(rivals(), 500.0), known(10.0), error=0.0)
    assert found.ratio(WRONG, BACKGROUND) == pytest.approx(4, rel=1e-3)


def test_a_salvo_counts_as_one_strike_and_two_attacks_as_two():
    at = Likelihoods(rivals(PLANT), 500.0)
    one = compare_explanations([80.0], [10.0], at, WIDE, error=60.0)
    salvo = compare_explanations([80.0] * 6, [10.0] * 6, at, WIDE, error=60.0, attack=["a"] * 6)
    two = compare_explanations([80.0] * 2, [10.0] * 2, at, WIDE, error=60.0, attack=["a", "b"])
    assert salvo.log_likelihood == pytest.approx(one.log_likelihood)
    assert (salvo.strikes, salvo.attacks) == (6, 1)
    gain = one.log_likelihood - one.log_likelihood[-1]
    free = [0, 2, 3, 4]  # the plant's centre is unknown but the same for both, so that its two do not simply add up
    assert (two.log_likelihood - two.log_likelihood[-1])[free] == pytest.approx(2 * gain[free])


def test_order_and_direction_do_not_matter():
    at, rng = Likelihoods(rivals(), 500.0), np.random.default_rng(1)
    e, y = rng.normal(0, 150, (2, 8))
    found = compare_explanations(e, y, at, WIDE, error=30.0, attack=list("aabbccdd"))
    turned = compare_explanations(y[::-1], -e[::-1], at, WIDE, error=30.0, attack=list("ddccbbaa"))
    assert turned.log_likelihood[:2] == pytest.approx(found.log_likelihood[:2])


def test_what_cannot_be_told_apart_is_said():
    coarse = compare_explanations([30.0], [0.0], Likelihoods(rivals(PLANT), 500.0), WIDE, error=600.0)
    assert coarse.conclusion == UNDECIDED
    assert "the edge of plant is 500 m from the site, which these positions tell apart only to 602 m" in coarse.pairs[0]["reason"]
    four = compare_explanations([30.0] * 4, [0.0] * 4, Likelihoods(rivals(PLANT), 500.0), WIDE, error=600.0)
    assert "tell apart" not in four.pairs[0]["reason"]  # √(600²/4 + 50²) = 304 m
    same = compare_explanations([30.0], [0.0], Likelihoods(rivals(replace(PLANT, easting=0.0)), 500.0), WIDE, error=10.0)
    assert "stands within the area of plant" in same.pairs[0]["reason"]
    assert same.conclusion == UNDECIDED
    # CEP 5 speaks against the site at 26 m, 20 for it
    turning = compare_explanations([26.0], [0.0], Likelihoods(rivals(), 500.0), WIDE, error=0.0)
    assert turning.pairs[-1]["low"] < 0.5 < 2 < turning.pairs[-1]["high"]
    assert turning.pairs[-1]["reason"] == "it turns about within the published CEPs"
    assert turning.conclusion == UNDECIDED
    twice = compare_explanations([26.0, 26.0], [0.0, 0.0], Likelihoods(rivals(), 500.0), WIDE, error=0.0)
    assert "turns" not in twice.pairs[-1]["reason"]  # attacks have CEPs of their own, so that one value for all is no case


def test_a_place_from_which_hardly_any_weapon_comes_near_explains_nothing():
    # 1500 m off with σ = 170 m: one in 10⁹ falls within 500 m, and of those most near the edge, where the strike is
    far = Likelihoods(rivals(Aim("far", 1500.0, 0.0)), 500.0)
    found = compare_explanations([490.0], [0.0], far, known(200.0), error=0.0)
    assert found.ratio(SITE, "aim at far") > 1e200


def test_aim_points_that_are_one_place_are_one():
    inside = Aim("bureau", 650.0, 20.0, 50.0, 100.0)
    assert [a.name for a in rivals(inside, PLANT).apart()] == ["plant"]
    apart = replace(inside, easting=-400.0)
    assert [a.name for a in rivals(PLANT, apart).apart()] == ["bureau", "plant"]


def test_a_heavy_tail_forgives_a_far_miss():
    normal, heavy = (
        compare_explanations([300.0], [0.0], Likelihoods(rivals(spread=s), 500.0), known(30.0), error=0.0) for s in (Spread(), Spread(2.0))
    )
    assert heavy.ratio(SITE, BACKGROUND) > 1e6 * normal.ratio(SITE, BACKGROUND)


@pytest.mark.parametrize(("ratio", "words"), [(1.9, "no support"), (2, "weak"), (10, "moderate s"), (100, "moderately strong"), (1e3, "strong"),
                                              (1e4, "very strong"), (1e6, "extremely strong")])  # fmt: skip
def test_the_words_are_those_of_the_published_scale(ratio, words):
    assert verbal(ratio).startswith(words)


@pytest.mark.parametrize(
    "bad",
    [
        {"easting": [], "northing": []},
        {"northing": [1.0, 2.0]},
        {"error": -1.0},
        {"error": [1.0, 2.0]},
        {"attack": ["a", "b"]},
        {"attack": [float("nan")]},
        {"prior": [WIDE, WIDE]},
        {"easting": [np.nan]},
    ],
)
def test_bad_input_is_one_line(bad):
    given = {"easting": [1.0], "northing": [2.0], "prior": WIDE, "error": 3.0, **bad}
    with pytest.raises(InputError) as said:
        compare_explanations(at=Likelihoods(rivals(), 500.0), **given)
    assert "\n" not in str(said.value)
    with pytest.raises(InputError):
        Likelihoods(rivals(), 0.0)
    with pytest.raises(InputError):
        Aim("a", 0, 0, -1.0)


def test_each_truth_is_found_or_left_open():
    """Twelve worlds of each truth: with five strikes known to 300 m mostly nothing is concluded, with fifty to 30 m the truth."""
    at = Likelihoods(rivals(replace(PLANT, easting=500.0)), 500.0)
    rows = confusion(at, WIDE, np.full(5, 300.0), n_worlds=12, seed=SeedSequence(3))
    assert [r["strikes"] for r in rows] == [5] * 5 + [50] * 10
    for row in rows:
        assert sum(row["concluded"].values()) == 12
        assert row["wrong"] <= 0.25  # binomial(12, 0.05): over 3 in 0.2 % of studies
    few = [r["concluded"][UNDECIDED] for r in rows if r["strikes"] == 5]
    assert sum(few) >= 30
    assert all(r["right"] >= 0.8 for r in rows[-5:])
    assert {SITE, WRONG, EITHER, UNDECIDED} <= set(rows[0]["concluded"])


def test_worlds_of_explanations_follow_their_seed():
    at = Likelihoods(rivals(replace(PLANT, easting=500.0)), 500.0)
    once, again, other = (confusion(at, WIDE, np.full(2, 300.0), n_worlds=1, seed=SeedSequence(s)) for s in (3, 3, 4))
    assert once == again
    assert once != other
