"""The jointly fitted site effect: its parts by their definitions, its ends, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, norm

from analysis.baseline import SmoothSurface
from analysis.pattern import InputError, PointPattern, Sites
from analysis.proximity import Decay, joint_site_effect

DECAY = Decay("gaussian", 1.0)


@pytest.fixture
def setting(square):
    """Forty strikes anywhere and twelve about the site, each of which is struck twice in one attack; stiff knots at the sides."""
    rng = np.random.default_rng(5)
    e, n = square.sample(40, rng=rng)
    e, n = np.r_[e, rng.normal(3, 0.7, 12)], np.r_[n, rng.normal(3, 0.7, 12)]
    points = PointPattern(np.r_[e, e], np.r_[n, n], square)
    return points, Sites([3.0], [3.0], square), SmoothSurface(square.grid(shape=(20, 20)), 5.0, smoothing=1.0)


def test_parts_by_their_definitions(setting):
    points, sites, surface = setting
    twice = joint_site_effect(points, sites, DECAY, surface, attack=np.r_[np.arange(52), np.arange(52)])
    once = joint_site_effect(points, sites, DECAY, surface, attack=np.arange(104))
    assert (once.robust, twice.robust) == (pytest.approx(1), pytest.approx(np.sqrt(2)))
    assert once.score == pytest.approx(np.sqrt(2) * twice.score)
    assert twice.p_score == pytest.approx(norm.sf(twice.score))
    assert twice.p_ratio == pytest.approx(chi2.sf(twice.likelihood_ratio, 1) / 2)
    g = DECAY.field(sites, surface.grid)

    def profile(alpha):
        return surface.at(points.easting, points.northing, offset=np.log1p(alpha * g)).log_likelihood

    assert twice.likelihood_ratio == pytest.approx(2 * (profile(twice.alpha) - profile(0)))
    for found in (once, twice):
        falls = [2 * (profile(found.alpha) - profile(end)) / found.robust**2 for end in found.interval]
        assert falls == pytest.approx([chi2.ppf(0.95, 1)] * 2, rel=2e-3)


def test_where_the_effect_has_no_end(square, setting):
    """No strike near the site: the interval begins at −1, and p is 1. All strikes at it: the estimate is infinite."""
    _, sites, surface = setting
    far = PointPattern(np.linspace(6, 9.5, 20), np.linspace(6, 9.5, 20)[::-1], square)
    found = joint_site_effect(far, sites, DECAY, surface, attack=np.arange(20))
    assert (found.interval[0], found.p_ratio) == (-1.0, 1.0) and found.alpha < 0
    stiff = SmoothSurface(surface.grid, 5.0, smoothing=1e6, order=1)
    at = PointPattern(np.full(30, 3.0), np.full(30, 3.0), square)
    endless = joint_site_effect(at, sites, Decay("gaussian", 0.3), stiff, attack=np.arange(30))
    assert (endless.alpha, endless.interval[1]) == (np.inf, np.inf)
    assert endless.to_dict()["alpha"] == "inf" and "fitted" not in endless.to_dict()


def test_refusals(setting):
    points, sites, surface = setting
    attack = np.arange(points.n)
    for given, said in (
        ({"attack": [1, 2]}, "every strike needs a label"),
        ({"attack": [None, *attack[1:]]}, "every strike needs a label"),
        ({"weights": [1.0]}, "one number for each strike"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"decay": Decay("disc", 1e-9)}, "zero all over"),
    ):
        with pytest.raises(InputError, match=said):
            joint_site_effect(**({"points": points, "sites": sites, "decay": DECAY, "surface": surface, "attack": attack} | given))
