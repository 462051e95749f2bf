"""The claims of the embedded study, the aim points in the baseline, and a favourite picked after the fact."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import SeedSequence

from analysis.aim import explain, favourites
from analysis.baseline import Kernel, Uniform
from analysis.proximity import build_design


@pytest.fixture(scope="module")
def coarse(plan):
    return replace(plan, cell_m=200.0, n_simulations=199, secondary=replace(plan.secondary, bandwidths_m=(1500.0,)))


@pytest.fixture(scope="module")
def design(kyiv, coarse):
    return build_design(kyiv, coarse)


@pytest.fixture(scope="module")
def found(kyiv, coarse, design):
    null = design.null(Kernel(design.grid, 1500.0))
    return explain(kyiv, coarse, design, null.intensity, rng=1)


def test_every_claim_is_a_row_and_none_can_be_tested(found, kyiv):
    rows = {row["claim_id"]: row for row in found.claims}
    assert list(rows) == list(kyiv.tables["claims"]["claim_id"])
    assert {row["verdict"] for row in rows.values()} == {"cannot be tested with these data"}
    assert all(row["reasons"] for row in rows.values())
    assert [rows[k]["about"] for k in ("C1", "C5", "C6")] == ["a mission", "a state-linked asset", "a state-linked asset"]
    assert "Kharkiv" in rows["C2"]["reasons"][0]
    assert "no strike of that date" in rows["C3"]["reasons"][0]
    assert [m["strike_id"] for m in rows["C1"]["matched"]] == ["KYV-20251114-15"]
    assert rows["C4"]["damage_events"] == ["D24"]
    assert rows["C1"]["aim_points"][0]["name"].startswith("Artem")
    assert rows["C1"]["aim_points"][0]["edge_m"] == pytest.approx(253, abs=1)
    json.dumps(found.to_dict(), allow_nan=False)


def test_expected_numbers_are_the_uniform_ones_by_hand(found, kyiv, design):
    row = next(row for row in found.claims if row["claim_id"] == "C4")
    assert row["distance_m"] == 50
    until = (design.points.marks["date"] <= "2025-08-28").to_numpy()
    total = Uniform(design.grid).fit(design.points.easting[until], design.points.northing[until], design.weights[until]).total
    naive = row["expected"][0]
    # π 50² m² of 826 km², to the softened rim of the disc on cells of 200 m
    assert naive["this"] == pytest.approx(total * np.pi * 50**2 / kyiv.window.area, rel=0.05)
    assert naive["chance_this"] == pytest.approx(1 - np.exp(-naive["this"]))
    assert row["chance_this"] < row["chance_some"] < 1
    earlier = next(row for row in found.claims if row["claim_id"] == "C3")
    assert earlier["chance_some"] < row["chance_some"]


def test_claims_as_claimed_carry_the_price_of_the_choice(found):
    row = next(row for row in found.claims if row["claim_id"] == "C3")
    background = next(pair for pair in row["ratios"] if pair["against"] == "background")
    narrow = {b["radius_m"]: b["ratio"] for b in background["by_choice"]}
    # on a flat background a choice within 100 m instead of 500 m costs (500/100)² = 25
    assert background["ratio"] / narrow[100.0] == pytest.approx(25, rel=0.1)


def test_located_strikes_together_count_attacks(found):
    first = found.comparisons[0]
    assert first["basis"].startswith("all located")
    assert (first["strikes"], first["attacks"]) == (5, 5)
    assert [c["basis"] for c in found.comparisons][-1] == "as claimed"


def test_aim_points_in_the_baseline_take_part_of_the_excess(found):
    without, with_ = found.aim_baselines
    assert (without["aim_points"], with_["aim_points"]) == (False, True)
    assert with_["coefficient"] > 0
    assert with_["statistic"] < without["statistic"]
    assert with_["all_expected"] > without["all_expected"]
    assert with_["focus_strikes"] == 3


def test_a_study_without_claims_has_no_explanations(kyiv, coarse, design):
    bare = replace(kyiv, tables={})
    assert explain(bare, coarse, design, Kernel(design.grid, 1500.0).fit([], []), rng=1).to_dict()["claims"] == []


def test_a_favourite_picked_afterwards_must_pay_for_the_choice(coarse, design):
    """Chance alone: named beforehand as if, some building is 'found' far more often than the level; corrected, it is not."""
    null = design.null(Kernel(design.grid, 1500.0))
    said = favourites(design, null, coarse, n_worlds=40, n_simulations=199, seed=SeedSequence(2))
    assert said["uncorrected"] > 0.5
    assert said["corrected"] <= said["bound"]


def table(found: dict) -> list[str]:
    """The confusion matrix as the documentation prints it."""
    lines = []
    for row in found["rows"]:
        drawn = "as published" if row["worse"] == 1 else f"{row['worse']:g} times that"
        counts = " | ".join(str(n) for n in row["concluded"].values())
        lines.append(f"| {row['size']} ({row['strikes']}) | {drawn} | {row['truth']} | {counts} |")
    return lines


def test_the_documentation_prints_the_stored_study(root):
    found = json.loads((root / "data/calibration/explanations.json").read_text())
    page = (root / "docs/explanations.md").read_text()
    assert "\n".join(table(found)) in page
    for name in ("corrected", "uncorrected"):
        assert f"{100 * found['favourite'][name]:.0f} %" in page
    assert max(row["wrong"] for row in found["rows"]) < 0.1
