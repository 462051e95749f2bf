"""Power by simulation against the normal test's known power, and its seeds."""

import numpy as np
import pytest
from scipy.stats import norm

from analysis.inference import power_curve
from analysis.pattern import InputError


def z_test(effect, rng):
    return float(norm.sf(rng.normal(effect)))


def test_power_of_the_z_test():
    """Power Φ(effect − 1.645): .639 at 2, .912 at 3, and .8 on the line between them at 2 + .161/.273 = 2.59."""
    found = power_curve(z_test, [0, 1, 2, 3], n_worlds=2000, rng=2)
    expected = norm.sf(norm.isf(0.05) - np.array([0, 1, 2, 3]))
    assert ((found.lower < expected) & (expected < found.upper)).all()
    assert found.smallest == pytest.approx(2.59, abs=0.06)
    assert "2000 worlds each" in str(found) and found.to_dict()["n_worlds"] == 2000


def test_worlds_do_not_depend_on_their_neighbours():
    many, few = power_curve(z_test, [0, 1, 2], n_worlds=50, rng=3), power_curve(z_test, [0, 1], n_worlds=50, rng=3)
    assert many.power[:2].tolist() == few.power.tolist()


def test_intervals_and_ends_by_hand():
    """No rejection in 10: upper limit 1 − .025^(1/10) = .3085."""
    none = power_curve(lambda effect, rng: 1.0, [1.0], n_worlds=10, rng=1)
    assert (none.lower[0], none.smallest) == (0, np.inf)
    assert none.upper[0] == pytest.approx(1 - 0.025**0.1)
    every = power_curve(lambda effect, rng: 0.05, [1.0, 2.0], n_worlds=10, rng=1)  # p at the level rejects
    assert (every.upper[0], every.smallest) == (1, 1.0)


@pytest.mark.parametrize(("effects", "worlds", "p"), [([1, 1], 5, 0.5), ([], 5, 0.5), ([1], 0, 0.5), ([1], 5, float("nan"))])
def test_refusals(effects, worlds, p):
    with pytest.raises(InputError):
        power_curve(lambda effect, rng: p, effects, n_worlds=worlds, rng=1)
