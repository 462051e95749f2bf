"""Units: what counts as one strike, one attack, one period, one site."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..baseline import Kernel
from ..inference import format_p, monte_carlo_p
from ..pattern import label_codes
from .scene import CheckResult, Scene

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def _listed(name: str, threat: str, rows: list[dict[str, Any]], at: Scene, what: str) -> CheckResult:
    """Judge rows that each carry a p-value: the check passes when all stand where the primary test does."""
    for row in rows:
        row["stands"] = bool(at.stands(row["p_value"]))
    bad = [row for row in rows if not row["stands"]]
    listed = ", ".join(f"{row[what]} (p = {format_p(row['p_value'])})" for row in bad)
    said = f"p is {at.other_side} the level with {listed}." if bad else f"The answer stands with each {what} tried ({len(rows)})."
    return CheckResult(name, threat, not bad, tuple(rows), said)


def same_place(at: Scene, distance: float, days: int | None) -> Index:
    """Give numbers to places: strikes chained by pairs within a distance and, with ``days``, that many days."""
    points = at.design.points
    pairs = cKDTree(np.column_stack([points.easting, points.northing])).query_pairs(distance, output_type="ndarray")
    if days is not None:
        day = pd.to_datetime(at.marks("date")).to_numpy().astype("datetime64[D]").astype(np.int64)
        pairs = pairs[np.abs(day[pairs[:, 0]] - day[pairs[:, 1]]) <= days]
    near = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(points.n, points.n))
    return np.asarray(connected_components(near, directed=False)[1], np.intp)


def _shared(at: Scene, group: Index) -> Array:
    """Let each group weigh what its strikes weigh on average."""
    present = at.weights > 0
    size = np.bincount(group, present)
    return np.where(present, at.weights / np.maximum(size[group], 1), 0.0)


def clustering(at: Scene) -> CheckResult:
    """Studentise by other independent units: nearest building, day, attack and building linked."""
    building = at.design.sites.nearest(at.design.points.easting, at.design.points.northing)[1]
    n = at.design.points.n
    day = label_codes(at.marks("date"), n, "date")
    n_attacks = int(at.unit.max()) + 1
    size = n_attacks + at.design.sites.n
    shared = coo_array((np.ones(n), (at.unit, building + n_attacks)), shape=(size, size))
    linked = connected_components(shared, directed=False)[1][at.unit]
    units = {"attack": at.unit, "nearest building": building, "day": day, "attacks and buildings linked": linked}
    rows = [
        {"unit": name, "units": len(np.unique(label[at.weights > 0])), "p_value": float(at.alike(at.scores(at.planned, unit=label).p)[0])}
        for name, label in units.items()
        if len(np.unique(label[at.weights > 0])) > 1
    ]
    return _listed("clustering", "Strikes that are not independent are counted as if they were.", rows, at, "unit")


def unit_choice(at: Scene) -> CheckResult:
    """Count each place, attack or weapon once; and one class of weapons alone, where it has enough strikes."""
    marks, n = at.design.points.marks, at.design.points.n
    weapon = label_codes(marks["weapon_class"].astype(str), n) if marks is not None and "weapon_class" in marks else None
    cluster = at.plan.clean.cluster_distance_m
    options = {
        "every strike": at.weights,
        f"one for each place of {cluster:g} m": _shared(at, same_place(at, cluster, None)),
        "one for each attack": _shared(at, at.unit),
    }
    if weapon is not None:
        options["one for each weapon of an attack"] = _shared(at, label_codes(at.unit * (weapon.max() + 1) + weapon, n))
        names = at.marks("weapon_class").astype(str)
        for name in sorted(set(names)):
            chosen = np.where(names == name, at.weights, 0.0)
            if (chosen > 0).sum() >= at.plan.checks.min_strikes:
                options[f"only weapon {name}"] = chosen
    p = at.alike(at.scores(at.planned, np.array(list(options.values()))).p)
    rows: list[dict[str, Any]] = [
        {"unit": name, "strikes": int((w > 0).sum()), "p_value": float(v)} for (name, w), v in zip(options.items(), p, strict=True)
    ]
    whole = [row for row in rows if not row["unit"].startswith("only")]
    found = _listed("unit choice", "The answer depends on what is counted as one.", whole, at, "unit")
    # a subset has fewer strikes and so less power: it is shown, and overturns nothing
    subsets = tuple({**row, "stands": bool(at.stands(row["p_value"]))} for row in rows if row not in whole)
    return CheckResult(found.name, found.threat, found.passed, found.table + subsets, found.text)


def duplicates(at: Scene) -> CheckResult:
    """Merge strikes that may be reports of one, at several distances."""
    days, limits = at.plan.clean.cluster_days, at.plan.checks.cluster_m
    groups = [same_place(at, limit, days) for limit in limits]
    p = at.alike(at.scores(at.planned, np.array([_shared(at, group) for group in groups])).p)
    rows = [{"threshold": f"{limit:g} m", "strikes": len(np.unique(group[at.weights > 0])), "p_value": float(v)}
            for limit, group, v in zip(limits, groups, p, strict=True)]  # fmt: skip
    return _listed("duplicates", "One strike reported twice counts as two.", rows, at, "threshold")


def edges(at: Scene) -> CheckResult:
    """Change the edge correction of the baseline."""
    rows = []
    for name, edge in (("Diggle", "diggle"), ("uniform", "uniform"), ("none", None)):
        kernel = Kernel(at.design.grid, at.plan.primary.bandwidth_m, edge)  # type: ignore[arg-type]
        null = at.design.null(kernel, at.weights)
        rows.append({"edge_correction": name, "p_value": float(at.alike(at.scores(at.phi(at.decay, kernel), null=null).p)[0])})
    threat = "The border of the window, where strikes beyond it are not seen, makes the baseline."
    return _listed("edges", threat, rows, at, "edge_correction")


def coverage(at: Scene) -> CheckResult:
    """Test each period of the located share by itself, and whether nearness differs between them more than when dealt anew."""
    starts = np.sort(np.array(at.plan.strikes.period_starts, "datetime64[ns]"))
    period = np.searchsorted(starts, pd.to_datetime(at.marks("date")).to_numpy("datetime64[ns]"), side="right")
    used = [k for k in range(len(starts) + 1) if ((period == k) & (at.weights > 0)).sum() >= 2]
    threat = "Coverage changes over time, and one period makes the answer."
    if len(used) < 2:
        return CheckResult("coverage over time", threat, None, (), "There is only one period with strikes.")
    found = at.scores(at.planned, np.array([np.where(period == k, at.weights, 0.0) for k in used]))
    label, first = np.unique(at.unit, return_index=True)
    group = period[first]
    value = np.bincount(at.unit, at.weights * at.planned[at.errors[1], at.cells[0]])
    weight = np.bincount(at.unit, at.weights)
    order = np.vstack([np.arange(len(label)), *at.orders(len(label))])  # the first row leaves the attacks as they are
    heft = np.array([weight[order][:, group == k].sum(axis=1) for k in used])
    mean = np.array([value[order][:, group == k].sum(axis=1) for k in used]) / np.maximum(heft, 1e-12)
    apart = (heft * (mean - (heft * mean).sum(axis=0) / heft.sum(axis=0)) ** 2).sum(axis=0)
    p = monte_carlo_p(float(apart[0]) * (1 - 1e-9), apart[1:], "greater")
    frame = at.study.strikes.frame
    share = pd.Series(at.study.strikes.located(at.plan.strikes.located_max_m)).groupby(
        np.searchsorted(starts, pd.to_datetime(frame["date"]).to_numpy("datetime64[ns]"), side="right")).mean()  # fmt: skip
    edges_ = ["the beginning", *at.plan.strikes.period_starts, "the end"]
    table = tuple({"period": f"{edges_[k]} to {edges_[k + 1]}", "located": int(((period == k) & (at.weights > 0)).sum()),
                   "located_share": float(share[k]), "p_value": float(v)} for k, v in zip(used, found.p, strict=True))  # fmt: skip
    passed = p > at.plan.primary.level
    differ = "do not differ" if passed else "differ"
    said = f"Periods {differ} in nearness more than by chance (p = {format_p(p)}, attacks dealt to periods anew)."
    return CheckResult("coverage over time", threat, passed, table, said)


def opening_dates(at: Scene) -> CheckResult:
    """Count a site only on the dates it was open, where the data have such dates. Buildings count while any of their sites was open."""
    name, threat = "opening and closing of sites", "Sites that were closed, or not yet there, count as near."
    marks, tested = at.study.sites.marks, at.design.sites
    dated = marks is not None and {"open_from", "open_to"} <= set(marks) and marks[["open_from", "open_to"]].notna().to_numpy().any()
    if marks is None or not dated:
        return CheckResult(name, threat, None, (), "The data have no dates of opening or closing, so this could not be checked.")
    key = "building_id" if tested.marks is not None and "building_id" in tested.marks and "building_id" in marks else None
    if key is None:
        group, row_group = np.arange(tested.n), tested.nearest(at.study.sites.easting, at.study.sites.northing)[1]
    else:
        assert tested.marks is not None
        group = tested.marks[key].to_numpy()
        row_group = marks[key].to_numpy()
    opened = pd.to_datetime(marks["open_from"]).fillna(pd.Timestamp.min).to_numpy("datetime64[ns]")
    closed = pd.to_datetime(marks["open_to"]).fillna(pd.Timestamp.max).to_numpy("datetime64[ns]")
    date = pd.to_datetime(at.marks("date")).to_numpy("datetime64[ns]")
    open_on = np.array([np.isin(group, row_group[(opened <= day) & (day <= closed)]) for day in date])
    sets, which = np.unique(open_on, axis=0, return_inverse=True)
    fields = [at.phi(at.decay, at.estimator, tested.subset(row)) if row.any() else np.zeros_like(at.planned) for row in sets]
    kind = which.ravel() * len(at.errors[0]) + at.errors[1]
    p = float(at.alike(at.scores(np.concatenate(fields), kind=kind.astype(np.intp)).p)[0])
    rows = [{"sites": "only while open", "strikes": int((at.weights > 0).sum()), "p_value": p}]
    return _listed(name, threat, rows, at, "sites")
