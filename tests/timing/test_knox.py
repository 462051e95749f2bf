"""Knox, Mantel and near repeats: counted by hand, against all permutations in R, with salvos and ties."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from analysis.inference import monte_carlo_p
from analysis.pattern import InputError, PointPattern
from analysis.timing import knox_test, mantel_test, near_repeat_table

R = json.loads((Path(__file__).parents[1] / "reference/timing.json").read_text())["knox"]
NEAR = {"distance": 1.0, "interval": 2.0, "n_simulations": 99, "rng": 1}


def test_by_hand_with_ties_at_both_limits(square):
    """0–1 apart 1 and 2 days (both limits: counts), 0–2 same day but 5 apart, 2–3 near but 9 days, 3–4 near on one day (counts)."""
    points = PointPattern([1, 2, 6, 6.5, 6.5], [1, 1, 1, 1, 1.5], square)
    found = knox_test(points, [0, 2, 0, 9, 9], **NEAR)
    assert found.statistic == 2
    assert 0 < found.p_value <= 1
    assert found.p_value == monte_carlo_p(found.statistic, found.simulated, "greater")
    assert knox_test(points, [0, 2, 0, 9, 9], **{**NEAR, "interval": 1.9}).statistic == 1


def test_against_every_permutation_of_five_attacks_in_r(square):
    code = np.array(R["attack"]) - 1
    points, time = PointPattern(R["easting"], R["northing"], square), np.array(R["when"])[code]
    found = knox_test(points, time, distance=2.0, interval=3.0, n_simulations=4999, rng=3, blocks=code)
    assert found.statistic == R["statistic"]
    assert found.p_value == pytest.approx(R["p"], abs=4 * np.sqrt(R["p"] * (1 - R["p"]) / 4999))
    assert found.simulated.mean() == pytest.approx(R["mean"], abs=4 * found.simulated.std() / np.sqrt(4999))
    assert "attacks permuted" in found.null


def test_pairs_within_an_attack_are_left_out_and_its_time_is_its_first(square):
    points = PointPattern([1, 1.5, 1.2], [1, 1, 1.2], square)
    assert knox_test(points, [0, 1, 2], **NEAR, blocks=["a", "a", "b"]).statistic == 2
    assert knox_test(points, [0, 1, 2.5], **NEAR, blocks=["a", "a", "b"]).statistic == 0  # 2.5 − 0, not 2.5 − 1


def test_the_table_adds_up_to_knox(square):
    rng = np.random.default_rng(5)
    points, time = PointPattern(*rng.uniform(0, 10, (2, 40)), square), rng.integers(0, 20, 40)
    options = {"n_simulations": 199, "rng": 2, "blocks": np.arange(40) // 2}
    table = near_repeat_table(points, time, distances=[1, 2, 4], intervals=[1, 5], **options)
    whole = knox_test(points, time, distance=4, interval=5, **options)
    assert table.frame["observed"].sum() == whole.statistic
    assert table.frame["expected"].sum() == pytest.approx(whole.simulated.mean())
    assert (table.frame["p_after"] >= table.frame["p_value"] - 1e-12).all()
    assert table.frame[["distance_from", "distance_to"]].drop_duplicates().to_numpy().tolist() == [[0, 1], [1, 2], [2, 4]]
    first = knox_test(points, time, distance=1, interval=1, **options)
    assert table.frame["p_value"][0] == first.p_value
    assert len(table.to_dict()["frame"]) == 6


def test_mantel_by_hand(square):
    """Three strikes on a line, d = 1, 3, 4 and t = 2, 6, 8; with both scales 1: 1/(2·3) + 1/(4·7) + 1/(5·9)."""
    points = PointPattern([1, 2, 5], [1, 1, 1], square)
    found = mantel_test(points, [0, 2, 8], distance=1, interval=1, n_simulations=19, rng=1)
    assert found.statistic == pytest.approx(1 / 6 + 1 / 28 + 1 / 45)
    blocked = mantel_test(points, [0, 2, 8], distance=1, interval=1, n_simulations=19, rng=1, blocks=["a", "a", "b"])
    assert blocked.statistic == pytest.approx(1 / (4 * 9) + 1 / (5 * 9))  # both of a at 0


def test_sums_of_the_same_terms_are_ties(square):
    """Three places equally far from each other: every permutation gives the same sum, whatever order rounds it in."""
    points = PointPattern([1, 4, 2.5], [1, 1, 1 + 1.5 * np.sqrt(3)], square)
    assert mantel_test(points, [0, 1, 5], distance=1, interval=0.7, n_simulations=99, rng=1).p_value == 1


def test_the_same_draws_for_any_order_of_chunks_and_seeded(square, monkeypatch):
    rng = np.random.default_rng(6)
    points, time = PointPattern(*rng.uniform(0, 10, (2, 30)), square), rng.uniform(0, 9, 30)
    whole = knox_test(points, time, **NEAR)
    monkeypatch.setattr("analysis.timing.knox.CHUNK", 7)
    np.testing.assert_array_equal(knox_test(points, time, **NEAR).simulated, whole.simulated)
    assert mantel_test(points, time, **NEAR).p_value == mantel_test(points, time, **NEAR).p_value


def test_shift_and_unit_of_time_do_not_matter(square):
    rng = np.random.default_rng(7)
    points, time = PointPattern(*rng.uniform(0, 10, (2, 30)), square), rng.integers(0, 30, 30)
    days = np.datetime64("2022-02-24") + time
    for same in (days, days.astype(str).tolist(), (time + 1000).astype(object)):
        assert knox_test(points, same, **NEAR).p_value == knox_test(points, time + 1000, **NEAR).p_value


def test_salvos_deceive_a_permutation_of_strikes_and_not_one_of_attacks(square):
    """25 attacks of 4 strikes close together: nothing links attacks. 40 worlds; 8 rejections at 5 % have probability under 0.001."""
    rejected = np.zeros(2)
    for world in range(40):
        rng = np.random.default_rng([8, world])
        attack = np.repeat(np.arange(25), 4)
        e, n = np.clip(rng.uniform(0, 10, (2, 25))[:, attack] + rng.normal(0, 0.3, (2, 100)), 0, 10)
        time = rng.uniform(0, 300, 25)[attack]
        for k, blocks in enumerate((None, attack)):
            rejected[k] += knox_test(PointPattern(e, n, square), time, **NEAR, blocks=blocks).p_value <= 0.05
    assert rejected[0] == 40
    assert rejected[1] < 8
    assert binom.sf(7, 40, 0.05) < 1e-3


def test_real_near_repeats_are_found(square):
    rng = np.random.default_rng(9)
    e, n = rng.uniform(1, 9, (2, 30))
    time = rng.uniform(0, 300, 30)
    points = PointPattern(np.r_[e, e + 0.2], np.r_[n, n + 0.2], square)
    again = np.r_[time, time + 1]
    assert knox_test(points, again, **NEAR).p_value == 0.01
    assert mantel_test(points, again, **NEAR).p_value == 0.01
    assert near_repeat_table(points, again, distances=[1, 2], intervals=[2, 9], n_simulations=99, rng=1).frame["p_after"][0] <= 0.05


def test_no_pair_within_reach_gives_one(square):
    found = knox_test(PointPattern([1, 9], [1, 9], square), [0, 0], **NEAR)
    assert (found.statistic, found.p_value) == (0, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"blocks": ["a", "a", "a"]}, "at least two attacks"), ({"n_simulations": 9}, "at least 19"), ({"distance": -1}, "column distance"),
        ({"interval": np.nan}, "column interval"), ({"blocks": ["a"]}, "a finite time and a block"),
        ({"blocks": ["a", None, "b"]}, "a finite time and a block"),
    ],
)  # fmt: skip
def test_bad_input(square, change, said):
    points = PointPattern([1, 2, 3], [1, 1, 1], square)
    with pytest.raises(InputError, match=said):
        knox_test(points, [0, 1, 2], **{**NEAR, **change})


def test_bad_times_and_scales(square):
    points = PointPattern([1, 2], [1, 1], square)
    for times in ([0, np.nan], [0], np.array(["2022-01-01", "NaT"], "datetime64[D]")):
        with pytest.raises(InputError, match=r"finite time|must be a date"):
            knox_test(points, times, **NEAR)
    with pytest.raises(InputError, match="above zero"):
        mantel_test(points, [0, 1], **{**NEAR, "distance": 0})
