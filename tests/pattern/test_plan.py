from __future__ import annotations

import pytest

from analysis.pattern import InputError, Plan


def changed(plan: Plan, key: str, value: object) -> dict:
    values = plan.to_dict()
    table = values
    *path, last = key.split(".")
    for part in path:
        table = table[part]
    if value is None:
        del table[last]
    else:
        table[last] = value
    return values


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("primary.bandwith_m", 10.0, "primary.bandwith_m: unknown key"),
        ("primary.bandwidth_m", None, "primary.bandwidth_m: missing key"),
        ("primary.bandwidth_m", "wide", "must be of type float"),
        ("primary.bandwidth_m", -1.0, "above zero"),
        ("primary.bandwidth_m", float("nan"), "above zero"),
        ("seed", True, "must be of type int"),
        ("seed", 1.5, "must be of type int"),
        ("primary", 3, "must be a table"),
        ("primary.alternative", "nearer", "closer, farther or two-sided"),
        ("primary.decay", "linear", "gaussian, exponential, disc or inverse"),
        ("secondary.radii_m", [], "at least one radius"),
        ("secondary.radii_m", [250.0, 0.0], "above zero"),
        ("secondary.radii_m", 250.0, "must be a list"),
        ("strikes.period_starts", ["2024-13-01"], "dates like"),
        ("clean.period_from", "20220101", "dates like"),
        ("clean.period_from", "2099-01-01", "must not end before"),
        ("secondary.curve_max_m", float("inf"), "above zero"),
        ("secondary.curve_step_m", 2000.0, "two steps"),
        ("checks.decays", ["linear"], "must be of gaussian"),
        ("primary.level", 0.5, "between 0 and 0.5"),
        ("verdict.power", 1.0, "between 0 and 1"),
        ("n_simulations", 10, "at least 199"),
        ("timing.distances_m", [500.0, 250.0], "must be increasing"),
        ("timing.intervals_days", [], "must be increasing"),
        ("timing.min_days", 0.0, "above zero"),
        ("timing.series_days", 0, "at least 1"),
        ("timing.notified", {"N1": 3}, "a table of text"),
    ],
)
def test_refuses(plan, key, value, said):
    with pytest.raises(InputError, match=said):
        Plan.from_dict(changed(plan, key, value))


def test_whole_numbers_pass_for_lengths(plan):
    assert Plan.from_dict(changed(plan, "primary.bandwidth_m", 1500)).primary.bandwidth_m == 1500.0


def test_hash_follows_values_only(plan):
    assert Plan.from_dict(dict(reversed(plan.to_dict().items()))).digest == plan.digest
    assert Plan.from_dict(changed(plan, "seed", 1)).digest != plan.digest
    one_way, other = ({"a": "x", "b": "y"}, {"b": "y", "a": "x"})
    assert Plan.from_dict(changed(plan, "own_data.sites", one_way)).digest == Plan.from_dict(changed(plan, "own_data.sites", other)).digest


def test_quick_never_draws_more(plan):
    assert (plan.quick().n_simulations, plan.quick().cell_m) == (999, 100)
    assert plan.quick().quick() == plan.quick()
