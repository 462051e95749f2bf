"""Log-linear fits against R's spatstat on the same nodes, by hand, and on bad input."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from shapely.geometry import MultiPolygon, Polygon, box

from analysis.baseline import Quadrature, fit_loglinear, poisson_newton, quadrature_for
from analysis.pattern import AnalysisWarning, InputError, PointPattern, Sites, Window

R = json.loads((Path(__file__).parents[1] / "reference/models.json").read_text())
WINDOW = Window(Polygon(list(zip(*R["outer"], strict=True)), [list(zip(*R["hole"], strict=True))]))
POINTS = PointPattern(R["x"], R["y"], WINDOW)
NODES = Quadrature(*(np.array(R[name], float) for name in ("qx", "qy", "qw")), np.array(R["qdata"], bool))


def side(e, n):
    return np.where(e + n < 7, "a", np.where(e < 6, "b", "c"))


def wave(e, n):
    return np.sin(e) + 0.1 * n


FITS = {
    "slope": ({"x": lambda e, n: e, "z": wave}, {}),
    "factor": ({"side": side, "x": lambda e, n: e}, {"formula": "side * x"}),
    "offset": ({"x": lambda e, n: e}, {"offset": lambda e, n: np.log(1 + n)}),
}


@pytest.mark.parametrize("name", FITS)
def test_berman_turner_agrees_with_spatstat(name):
    """Same nodes, same weights: coefficients, errors and log-likelihood to 1e-8."""
    covariates, options = FITS[name]
    fit = fit_loglinear(POINTS, covariates, quadrature=NODES, **options)
    assert fit.params == pytest.approx(np.array(R[f"{name}_coef"]), rel=1e-8)
    assert fit.bse == pytest.approx(np.array(R[f"{name}_se"]), rel=1e-8)
    assert fit.llf == pytest.approx(R[f"{name}_loglik"][0], abs=1e-8)


def test_logistic_agrees_with_r():
    """Same dummy points, R's glm: coefficients and errors to 1e-8."""
    n, m = POINTS.n, len(R["dx"])
    nodes = Quadrature(np.r_[R["x"], R["dx"]], np.r_[R["y"], R["dy"]], np.full(n + m, WINDOW.area / m), np.arange(n + m) < n)
    fit = fit_loglinear(POINTS, {"x": lambda e, n: e, "z": wave}, quadrature=nodes, method="logistic")
    assert fit.params == pytest.approx(np.array(R["logistic_coef"]), rel=1e-8)
    assert fit.bse == pytest.approx(np.array(R["logistic_se"]), rel=1e-7)


def test_constant_model_by_hand():
    """λ̂ = n/|W| = 5/100, log L = 5 log 0.05 − 5, variance of log λ̂ = 1/n."""
    points = PointPattern([1, 2, 3, 7, 9], [1, 5, 2, 8, 4], Window(box(0, 0, 10, 10)))
    for method in ("mpl", "logistic"):
        fit = fit_loglinear(points, {}, method=method)
        assert fit.params == pytest.approx([math.log(0.05)], abs=1e-7)
        assert fit.llf == pytest.approx(5 * math.log(0.05) - 5, abs=1e-6)
        assert fit.aic == pytest.approx(2 - 2 * fit.llf)
    assert fit_loglinear(points, {}).bse == pytest.approx([1 / math.sqrt(5)])
    assert fit_loglinear(points, {}).intensity().total == pytest.approx(5)


def test_two_halves_by_hand():
    """A factor of west and east, 1 and 4 strikes on 50 square units each: log λ = log(1/50), log(4/50)."""
    points = PointPattern([1, 6, 7, 8, 9], [1, 5, 2, 8, 4], Window(box(0, 0, 10, 10)))
    fit = fit_loglinear(points, {"half": lambda e, n: np.where(e < 5, "a west", "b east")})
    assert fit.names == ("Intercept", "half[T.b east]")
    assert fit.params == pytest.approx([math.log(1 / 50), math.log(4)], abs=1e-7)
    assert fit.bse == pytest.approx([1, math.sqrt(1 + 1 / 4)], abs=1e-6)


def test_weights_add_up_to_the_window(holed):
    rng = np.random.default_rng(1)
    points = PointPattern(*holed.sample(40, rng=rng), holed)
    for dummy in (2, 7, 33, 128):
        nodes = quadrature_for(points, dummy=dummy)
        assert nodes.weight.sum() == pytest.approx(holed.area, rel=1e-9)
        assert holed.contains(nodes.easting, nodes.northing).all()
        bare = quadrature_for(points, dummy=dummy, strikes_weigh=False)
        assert bare.weight[~bare.is_data].sum() == pytest.approx(holed.area, rel=1e-9)


def test_the_fit_converges_in_the_quadrature():
    slopes = [fit_loglinear(POINTS, {"x": lambda e, n: e, "z": wave}, dummy=d).params[1] for d in (16, 32, 64, 128, 256)]
    steps = np.abs(np.diff(slopes))
    assert steps[-1] < 1e-3 < 0.1 * abs(slopes[-1])
    assert steps[-1] < steps[0]


def test_newton_equals_statsmodels():
    """40 responses refitted at once, each against a statsmodels GLM: 1e-8."""
    rng = np.random.default_rng(4)
    design = np.column_stack([np.ones(300), rng.normal(size=(300, 2))])
    weight = rng.uniform(0.5, 2, 300)
    y = rng.poisson(weight * np.exp(design @ [0.3, 0.5, -0.2]), size=(40, 300)).astype(float)
    many = poisson_newton(design, y, weight)
    for row in (0, 17, 39):
        fit = sm.GLM(y[row], design, family=sm.families.Poisson(), offset=np.log(weight)).fit(tol=1e-14, maxiter=100)
        assert many[row] == pytest.approx(fit.params, abs=1e-8)


def test_newton_by_hand():
    """One column of ones: e^β is strikes by area. With a slope far from its start (level 50, slope 9), steps are halved and arrive."""
    y, w = np.array([[3.0, 4.0]]), np.array([1.0, 1.0])
    assert poisson_newton(np.ones((2, 1)), y, w)[0] == pytest.approx([math.log(7 / 2)])
    two = np.column_stack([np.ones(2), [0.0, 9.0]])  # two nodes, two coefficients: the fit is exact
    assert np.exp(two @ poisson_newton(two, np.array([[1.0, 1e6]]), w)[0]) == pytest.approx([1, 1e6])
    with pytest.raises(InputError, match="collinear"):
        poisson_newton(np.ones((2, 2)), y, w)


def test_clustered_errors_by_hand():
    """Constant model, attacks of 3, 1, 1 strikes: variance (9 + 1 + 1)/25 in place of 1/5."""
    points = PointPattern([1, 2, 3, 7, 9], [1, 5, 2, 8, 4], Window(box(0, 0, 10, 10)))
    fit = fit_loglinear(points, {}, cluster=["a", "a", "a", "b", "c"])
    assert fit.bse == pytest.approx([math.sqrt(11 / 25)], rel=1e-6)
    assert fit.n_clusters == 3
    single = fit_loglinear(POINTS, {"x": lambda e, n: e}, cluster=np.arange(POINTS.n))
    assert single.bse == pytest.approx(fit_loglinear(POINTS, {"x": lambda e, n: e}).bse, rel=0.25)


def test_attacks_without_cluster_warn():
    marks = pd.DataFrame({"attack_id": ["a", "a", "b"]})
    points = PointPattern([1, 2, 3], [1, 3, 2], Window(box(0, 0, 4, 4)), marks)
    with pytest.warns(AnalysisWarning, match="not independent"):
        fit_loglinear(points, {})


def test_prediction_reaches_into_the_discs(square):
    """Fitted outside a disc that holds an excess: the excess does not enter, and the fit covers the disc."""
    rng = np.random.default_rng(2)
    e, n = square.sample(300, rng=rng)
    extra = 5 + rng.normal(0, 0.3, (2, 100))
    points = PointPattern(np.r_[e, extra[0]], np.r_[n, extra[1]], square)
    outside = np.hypot(points.easting - 5, points.northing - 5) > 1.5
    fit = fit_loglinear(points, {}, exclude=(Sites([5.0], [5.0], square), 1.5))
    expected = outside.sum() / (100 - math.pi * 1.5**2)
    assert fit.intensity().at(5, 5) == pytest.approx(expected, rel=1e-3)
    # attacks of ten strikes in a row, of which only those outside count
    attacks = np.arange(points.n) // 10
    clustered = fit_loglinear(points, {}, exclude=(Sites([5.0], [5.0], square), 1.5), cluster=attacks)
    sizes = np.bincount(attacks[outside])
    assert clustered.bse == pytest.approx([math.sqrt((sizes**2).sum()) / outside.sum()], rel=1e-6)
    assert clustered.n_clusters == np.count_nonzero(sizes)


def test_shifting_the_window_changes_no_slope():
    far = Window(Polygon([(x + 5e5, y + 5e6) for x, y in zip(*R["outer"], strict=True)]))
    near = Window(Polygon(list(zip(*R["outer"], strict=True))))
    here = fit_loglinear(PointPattern(R["x"], R["y"], near), {"x": lambda e, n: e, "xx": lambda e, n: (e - 5) ** 2})
    there = fit_loglinear(
        PointPattern(np.array(R["x"]) + 5e5, np.array(R["y"]) + 5e6, far), {"x": lambda e, n: e, "xx": lambda e, n: (e - 5e5 - 5) ** 2}
    )
    assert there.params[1:] == pytest.approx(here.params[1:], rel=1e-6)
    assert there.llf == pytest.approx(here.llf, rel=1e-8)


@pytest.mark.parametrize(
    ("covariates", "options", "match"),
    [
        ({"x": lambda e, n: e, "y": lambda e, n: 3 - 2 * e}, {}, "collinear"),
        ({"x": lambda e, n: np.full_like(e, 2.0)}, {}, "constant"),
        ({"x": lambda e, n: np.where(e > 8, np.nan, e)}, {}, "column x.*places have none"),
        ({"x": np.zeros(3)}, {}, "one value for each node"),
        ({"x": lambda e, n: np.where((e > 9.9) & (n > 5.9), "rare", "common")}, {}, "column x, value 'rare'.*no strike"),
        ({"x": lambda e, n: ((e > 9.9) & (n > 5.9)).astype(float)}, {}, "does not converge"),
        ({"x": lambda e, n: ((e > 9.9) & (n > 5.9)).astype(float)}, {"method": "logistic"}, "does not converge"),
        ({"x": lambda e, n: e}, {"formula": "x + nothing"}, "cannot be read"),
        ({"x": lambda e, n: e}, {"formula": "0 + x"}, "intercept"),
        ({}, {"method": "reml"}, "mpl or logistic"),
        ({}, {"dummy": 1}, "whole number"),
        ({}, {"cluster": ["a"]}, "needs a label"),
        ({}, {"exclude": (Sites([5.0], [2.0], WINDOW), 50.0)}, "cover the whole window"),
    ],
)
def test_refusals(covariates, options, match):
    with pytest.raises(InputError, match=match) as caught:
        fit_loglinear(POINTS, covariates, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["mpl", "logistic"])
def test_one_strike_has_no_best_parabola(method):
    """A parabola in easting can be made as narrow about the strike as one likes."""
    with pytest.raises(InputError, match="infinity"):
        fit_loglinear(PointPattern([5.0], [2.0], WINDOW), {"x": lambda e, n: e, "xx": lambda e, n: e**2}, method=method, dummy=32)


def test_logistic_fits_converge(square):
    """A deviance of thousands has digits beyond 1e-12 that never come to rest: convergence is relative."""
    for seed in range(20, 25):
        points = PointPattern(*square.sample(50 + 7 * seed, rng=seed), square)
        fit = fit_loglinear(points, {}, method="logistic", dummy=100)
        assert fit.params == pytest.approx([math.log(points.n / 100)], abs=1e-9)


def test_no_points_and_unknown_labels():
    with pytest.raises(InputError, match="at least one strike"):
        fit_loglinear(PointPattern([], [], WINDOW), {})
    with pytest.raises(InputError, match="every strike once"):
        fit_loglinear(POINTS.subset(np.arange(POINTS.n) > 0), {}, quadrature=NODES)
    fit = fit_loglinear(POINTS, {"x": np.array(R["qx"])}, quadrature=NODES)
    with pytest.raises(InputError, match="give a function"):
        fit.intensity()
    labelled = fit_loglinear(POINTS, {"side": side})
    labelled._covariates["side"] = lambda e, n: np.full(e.shape, "unseen")
    with pytest.raises(InputError, match="a label where it is predicted"):
        labelled.predict([1.0], [1.0])
    with pytest.raises(InputError, match="needs dummy points"):
        Quadrature(np.ones(2), np.ones(2), np.ones(2), np.array([True, True]))


def test_strikes_on_the_boundary_coincident_and_in_pieces():
    """Two squares apart, strikes on a side, on a corner that only touches a tile, and twice in one place: λ̂ = n/|W| all the same."""
    pieces = Window(MultiPolygon([box(0, 0, 4, 4), box(6, 6, 10, 10)]))
    points = PointPattern([0.0, 4.0, 6.0, 8.0, 8.0], [2.0, 4.0, 6.0, 8.0, 8.0], pieces)
    for dummy in (5, 10, 64):
        fit = fit_loglinear(points, {}, dummy=dummy)
        assert fit.quadrature.weight.sum() == pytest.approx(32, rel=1e-6)
        assert math.exp(fit.params[0]) == pytest.approx(5 / 32, rel=1e-6)
    one = fit_loglinear(PointPattern([1.0], [1.0], pieces), {})
    assert one.llf == pytest.approx(math.log(1 / 32) - 1)
