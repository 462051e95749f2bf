"""Stored sizes of every test under every null: complete, reproducible, and as the page says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.random import SeedSequence

from analysis.checks import Sizes, sizes
from analysis.checks.sizes import MEASURES, NAMES, SERVES
from analysis.pattern import InputError
from analysis.sources import load_study, read_plan

ROOT = Path(__file__).parents[2]
STORED = Sizes.from_dict(json.loads((ROOT / "data/calibration/sizes.json").read_text()))


def rows(**wanted):
    return [r for r in STORED.rows if all(r[k] == v for k, v in wanted.items())]


def test_every_test_is_there_under_every_null():
    assert {r["null"] for r in STORED.rows} == set(SERVES)
    curves = {f"cross-K envelope, {m}" for m in MEASURES}
    for null, worlds in SERVES.items():
        assert {r["world"] for r in rows(null=null, serves=True)} == worlds & {r["world"] for r in rows(null=null)} != set()
    for null in ("binomial", "Poisson", "attack blocks", "Thomas", "log-Gaussian Cox"):
        for baseline in ("known", "kernel"):
            assert {r["test"] for r in rows(null=null, baseline=baseline)} == {*NAMES, *curves}


def test_what_holds_and_what_does_not():
    """Binomial and Poisson nulls hold for independent strikes, whatever the test; for clusters they reject far too often, and say so here."""
    for null in ("binomial", "Poisson", "normal or Poisson law", "log-Gaussian Cox", "labels dealt anew", "placebo sites", "random shift"):
        assert all(r["holds"] for r in rows(null=null, serves=True)), null
    assert all(r["share"] <= 0.06 for r in rows(null="Thomas", world="Thomas", baseline="known"))
    assert not any(r["holds"] for r in rows(null="binomial", world="Thomas", baseline="known"))
    assert min(r["share"] for r in rows(null="binomial", world="Thomas", baseline="known")) > 0.15
    for row in STORED.rows:
        assert row["lower"] <= row["share"] <= row["upper"] and row["holds"] == (row["share"] <= row["bound"])


def test_a_row_can_be_made_again():
    plan = read_plan(ROOT / "data/plan.toml")
    bench = sizes._bench(load_study(ROOT / "data/hand", plan), plan)
    index = sizes.WORLDS.index("stationary clusters")
    found = [next(sizes._p_values(bench, "stationary clusters", 99, SeedSequence([1, index, k])))[3] for k in range(150)]
    (row,) = rows(null="random shift", world="stationary clusters")
    assert int((np.array(found) <= STORED.level).sum()) == row["rejected"]


def test_the_page_has_the_table():
    assert str(STORED) in (ROOT / "docs/calibration.md").read_text()


def test_fields_are_checked():
    with pytest.raises(InputError, match="fields"):
        Sizes.from_dict({"rows": []})
