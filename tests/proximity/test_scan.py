"""Scan statistics: by hand, by brute force, against spatstat's discs on a lattice, and size."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom

from analysis.null import replicate_rng
from analysis.pattern import InputError
from analysis.proximity import scan_test, space_time_scan


def ratio(o, e, total):
    """Kulldorff's log-likelihood ratio, written out."""
    if o <= e:
        return 0.0
    return o * np.log(o / e) + ((total - o) * np.log((total - o) / (total - e)) if total > o else 0.0)


def brute(easting, northing, o, e, share=0.5, radius=np.inf):
    total, best = o.sum(), 0.0
    e = e * total / e.sum()
    for c in range(len(o)):
        d = np.hypot(easting - easting[c], northing - northing[c])
        for r in np.unique(d[d <= radius]):
            zone = d <= r * (1 + 1e-9)
            if not zone.all() and e[zone].sum() <= share * total * (1 + 1e-9):
                best = max(best, ratio(o[zone].sum(), e[zone].sum(), total))
    return best


def test_four_points_by_hand():
    """At 0, 1, 3, 7 on a line: counts 4, 2, 0, 0, expected 1.5 each. Zones of at most half (3 expected): {0}: 4 log(4/1.5) + 2 log(2/4.5) = 2.3015;
    {0, 1}: all 6 where 3 are expected: 6 log 2 = 4.1589."""
    found = scan_test([0, 1, 3, 7], [0, 0, 0, 0], [4, 2, 0, 0], [1, 1, 1, 1], n_simulations=99, rng=1)
    assert found.statistic == pytest.approx(6 * np.log(2))
    first = found.clusters.iloc[0]
    assert (first["easting"], first["radius"], first["observed"], first["expected"]) == (0, 1, 6, 3)
    narrow = scan_test([0, 1, 3, 7], [0, 0, 0, 0], [4, 2, 0, 0], [1, 1, 1, 1], max_radius=0.5, n_simulations=99, rng=1)
    assert narrow.statistic == pytest.approx(4 * np.log(4 / 1.5) + 2 * np.log(2 / 4.5))


@pytest.mark.parametrize("limits", [{}, {"max_share": 0.2}, {"max_radius": 2.0}])
def test_data_and_draws_by_brute_force(limits):
    """Locations on a lattice, so that ties abound, some doubled; unequal expected, some zero."""
    rng = np.random.default_rng(2)
    e, n = rng.integers(0, 6, (2, 35)).astype(float)
    mean = rng.gamma(2, 1, 35) * (rng.random(35) > 0.1)
    o = rng.poisson(mean)
    found = scan_test(e, n, o, mean, n_simulations=19, rng=3, **limits)
    share, radius = limits.get("max_share", 1.0 if limits else 0.5), limits.get("max_radius", np.inf)
    assert found.statistic == pytest.approx(brute(e, n, o, mean, share, radius), rel=1e-10)
    for k in range(19):
        draw = replicate_rng(np.random.SeedSequence(3), k).multinomial(int(o.sum()), mean / mean.sum())
        assert found.simulated[k] == pytest.approx(brute(e, n, draw, mean, share, radius), rel=1e-10)


def test_lattice_agrees_with_spatstat(root):
    """spatstat's likelihood functions on all discs up to the radius (its scan.test rasters the discs, see focused.R): to the digits stored."""
    r = json.loads((root / "tests/reference/focused.json").read_text())["scan"]
    limits = {"max_radius": r["max_radius"], "n_simulations": 99, "rng": 1}
    found = scan_test(r["x"], r["y"], r["observed"], r["expected"], **limits)
    assert found.statistic == pytest.approx(r["poisson"], rel=1e-7)
    assert found.p_value == 0.01 and 0 < found.p_gumbel < 0.01
    cases = scan_test(r["x"], r["y"], r["observed"], None, model="bernoulli", population=r["population"], **limits)
    assert cases.statistic == pytest.approx(r["bernoulli"], rel=1e-7)


def test_bernoulli_draws_by_brute_force():
    rng = np.random.default_rng(4)
    e, n = rng.uniform(0, 5, (2, 25))
    people = rng.integers(1, 6, 25)
    o = rng.binomial(people, 0.4)
    found = scan_test(e, n, o, None, model="bernoulli", population=people, n_simulations=19, rng=5)
    total, everyone = o.sum(), people.sum()

    def best(counts):
        top = 0.0
        for c in range(25):
            d = np.hypot(e - e[c], n - n[c])
            for r in np.unique(d):
                zone = d <= r
                z, m = counts[zone].sum(), people[zone].sum()
                if zone.all() or m > everyone / 2 or z / m <= total / everyone:
                    continue
                logs = [(z, m), (m - z, m), (total - z, everyone - m), (everyone - m - total + z, everyone - m)]
                value = sum(a * np.log(a / b) for a, b in logs if a > 0)
                top = max(top, value - total * np.log(total / everyone) - (everyone - total) * np.log(1 - total / everyone))
        return top

    assert found.statistic == pytest.approx(best(o), rel=1e-10)
    for k in range(5):
        draw = replicate_rng(np.random.SeedSequence(5), k).multivariate_hypergeometric(people, int(total))
        assert found.simulated[k] == pytest.approx(best(draw), rel=1e-10)


def test_ellipse_finds_a_street():
    """Strikes along one row of a lattice: an ellipse holds them with fewer others than any disc, and its long axis lies east."""
    e, n = (a.ravel().astype(float) for a in np.meshgrid(np.arange(15), np.arange(15)))
    o = np.where((n == 7) & (np.abs(e - 7) <= 4), 4, 1)
    disc = scan_test(e, n, o, np.ones(225), n_simulations=19, rng=1)
    ellipse = scan_test(e, n, o, np.ones(225), shapes=(1, 2, 4), n_simulations=19, rng=1)
    assert ellipse.statistic > disc.statistic
    first = ellipse.clusters.iloc[0]
    assert (first["shape"], first["angle"]) == (4, 0)
    assert (first["easting"], first["northing"]) == (7, 7)


def test_secondary_clusters_share_no_location():
    rng = np.random.default_rng(6)
    e, n = rng.uniform(0, 10, (2, 300))
    o = rng.poisson(np.where(np.hypot(e - 2, n - 2) < 1, 8, np.where(np.hypot(e - 8, n - 8) < 1, 6, 1)))
    found = scan_test(e, n, o, np.ones(300), max_share=0.2, n_simulations=99, rng=1)
    two = found.clusters.iloc[:2]
    assert (two["p_value"] == 0.01).all()
    assert (
        np.hypot(two["easting"] - [2, 8], two["northing"] - [2, 8]).max() < 1
        or np.hypot(two["easting"] - [8, 2], two["northing"] - [8, 2]).max() < 1
    )
    held = np.zeros(300, int)
    for row in found.clusters.itertuples():
        held += np.hypot(e - row.easting, n - row.northing) <= row.radius * (1 + 1e-9)
    assert held.max() == 1
    assert (np.diff(found.clusters["log_likelihood_ratio"]) <= 0).all()


def test_size():
    """150 worlds at 5 %, unequal expected: within the binomial's 99.9 %."""
    rejected = 0
    for k in range(150):
        rng = np.random.default_rng([8, k])
        e, n = rng.uniform(0, 5, (2, 30))
        mean = rng.gamma(2, 1, 30)
        rejected += scan_test(e, n, rng.multinomial(60, mean / mean.sum()), mean, n_simulations=39, rng=k).p_value <= 0.05
    assert binom.ppf(0.0005, 150, 0.05) <= rejected <= binom.ppf(0.9995, 150, 0.05)


def cylinders(e, n, t, radius, duration):
    best, total = 0.0, len(t)
    for c in range(total):
        d = np.hypot(e - e[c], n - n[c])
        for r in np.unique(d[d <= radius]):
            for first in np.unique(t):
                for last in np.unique(t[(t >= first) & (t - first <= duration)]):
                    disc, period = d <= r, (t >= first) & (t <= last)
                    best = max(best, ratio((disc & period).sum(), disc.sum() * period.sum() / total, total))
    return best


def test_space_time_by_brute_force():
    rng = np.random.default_rng(9)
    e, n = rng.integers(0, 5, (2, 24)).astype(float)
    t = rng.integers(0, 10, 24).astype(float)
    found = space_time_scan(e, n, t, max_radius=2.5, max_duration=4, n_simulations=19, rng=2)
    assert found.statistic == pytest.approx(cylinders(e, n, t, 2.5, 4), rel=1e-10)
    shuffled = replicate_rng(np.random.SeedSequence(2), 0).permutation(t)
    assert found.simulated[0] == pytest.approx(cylinders(e, n, shuffled, 2.5, 4), rel=1e-10)
    row = found.clusters.iloc[0]
    here = (np.hypot(e - row["easting"], n - row["northing"]) <= row["radius"]) & (t >= row["start"]) & (t <= row["end"])
    assert here.sum() == row["observed"]


def test_salvos_are_no_cluster_when_attacks_swap_times():
    """Ten attacks of five strikes at one place and time each: strikes swapped singly find a cluster in most worlds, attacks in few."""
    single = whole = 0
    for k in range(40):
        rng = np.random.default_rng([10, k])
        attack = np.repeat(np.arange(10), 5)
        e, n = rng.uniform(0, 10, (2, 10))[:, attack]
        t = rng.permutation(10)[attack].astype(float)
        limits = {"max_radius": 2.0, "max_duration": 2.0, "n_simulations": 39, "rng": k}
        single += space_time_scan(e, n, t, **limits).p_value <= 0.05
        whole += space_time_scan(e, n, t, **limits, attack=attack).p_value <= 0.05
    assert single > 30
    assert whole <= binom.ppf(0.9995, 40, 0.05)


def test_refusals():
    line, zero = [0, 1, 2], [0, 0, 0]
    good = {"n_simulations": 19, "rng": 1}
    for make, said in (
        (lambda: scan_test(line, zero, [1, 0, 0], None, **good), "needs expected"),
        (lambda: scan_test(line, zero, [1, 0, 0], [0, 1, 1], **good), "nothing is expected"),
        (lambda: scan_test(line, zero, zero, [1, 1, 1], **good), "no strikes"),
        (lambda: scan_test(line, zero, [1, 0, 0], [9, 1, 1], max_share=0.05, **good), "no zone"),
        (lambda: scan_test(line, zero, [1, 0, 0], [1, 1, 1], max_share=1.5, **good), "between 0 and 1"),
        (lambda: scan_test(line, zero, [1, 0, 0], [1, 1, 1], max_radius=-1, **good), "above zero"),
        (lambda: scan_test(line, zero, [1, 0, 0], [1, 1, 1], shapes=(0.5,), **good), "1 or more"),
        (lambda: scan_test(line, zero, [1, 0, 0], [1, 1, 1], model="normal", **good), "poisson or bernoulli"),
        (lambda: scan_test(line, zero, [1, 1, 1], None, model="bernoulli", population=[1, 1, 1], **good), "no controls"),
        (lambda: scan_test(line, zero, [2, 0, 0], None, model="bernoulli", population=[1, 1, 1], **good), "no smaller than its cases"),
        (lambda: scan_test(zero, zero, [2, 0, 0], [1, 1, 1], **good), "no zone"),
        (lambda: space_time_scan(line, zero, [1, 2, np.nan], max_radius=1, max_duration=1, **good), "finite"),
        (lambda: space_time_scan(line, zero, [1, 2, 3], max_radius=1, max_duration=1, attack=[1, 1, 2], **good), "one time"),
    ):
        with pytest.raises(InputError, match=said):
            make()
