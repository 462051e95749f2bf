"""Shared fixtures: the embedded study, a small planar study, and the folder of facts to spoil."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from shapely.geometry import Polygon, box

from analysis.pattern import Plan, PointPattern, Sites, Study, Window
from analysis.sources import load_study, read_plan

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("MPLBACKEND", "agg")
settings.register_profile("house", deadline=None)  # the machine may be busy; a slow example is no failure
settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def plan() -> Plan:
    return read_plan(ROOT / "data/plan.toml")


@pytest.fixture(scope="session")
def kyiv(plan: Plan) -> Study:
    return load_study(ROOT / "data/hand", plan)


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """A copy of the data folder, to be spoilt."""
    return Path(shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("raw", "clean")))


@pytest.fixture
def holed() -> Window:
    """An irregular window with a hole, 10 units wide."""
    outer = [(0, 0), (9, 1), (10, 6), (7, 7), (8, 10), (3, 9), (1, 5)]
    return Window(Polygon(outer, [[(4, 4), (4, 6), (6, 6), (6, 4)]]))


@pytest.fixture
def square() -> Window:
    return Window(box(0, 0, 10, 10))


@pytest.fixture
def example_sites(square: Window) -> Sites:
    """The sites of examples A and B in methods: (2,3) (5,5) (8,7)."""
    return Sites([2, 5, 8], [3, 5, 7], square)


@pytest.fixture
def example_hits(square: Window) -> PointPattern:
    """The hits of example A."""
    hits = [(2.1, 3.2), (2.3, 2.8), (5.2, 5.1), (8.1, 7.2), (1, 9), (9, 1), (4.8, 4.7), (7.7, 6.8), (3.3, 8.2), (6.1, 2.2)]
    return PointPattern(*np.array(hits).T, square)
