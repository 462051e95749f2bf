"""What the plan asks about time, each question with its answer or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import SeedSequence

from ..inference import TestResult, to_json
from ..null import Rng, seed_sequence
from ..pattern import InputError, Plan, Sites, Study
from ..proximity import Design, tested_sites
from .answer import DAY, Answer, NotIdentifiable, as_days
from .crossover import NAME as EVENTS
from .crossover import crossover_test
from .hawkes import NAME as EXCITATION
from .hawkes import HawkesFit, excitation_test, fit_hawkes
from .knox import knox_test, mantel_test, near_repeat_table
from .notification import exact_notification_test, interrupted_series, notification_test
from .rates import rate_ratio_test

Rows = list[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Timing:
    """Hold what was asked about time.

    Attributes
    ----------
    rows : list of dict
        question, identifiable, measure, reason, value, low, high, p_value, n, method, and the result itself under ``detail``.
    near_repeat : list of dict
        Pairs of strikes of different attacks by bands of distance and interval; empty where there are none.
    radius : float
        Near means within this of a site (metres).
    notified : list of dict
        id, state, date_from, date_to of the notifications examined.
    events : DataFrame
        date and near (within the radius of a site) of every located strike: for the figure.
    """

    rows: Rows
    near_repeat: Rows
    radius: float
    notified: Rows
    events: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json({key: value for key, value in vars(self).items() if key != "events"}))


def _row(question: str, found: Answer | HawkesFit | TestResult, measure: str = "ratio") -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(("reason", "value", "low", "high", "p_value", "n", "method"))
    identifiable = not isinstance(found, NotIdentifiable)
    row = {"question": question, "identifiable": identifiable, "measure": measure, **empty, "detail": found.to_dict()}
    if isinstance(found, NotIdentifiable):
        return {**row, "reason": found.reason}
    if isinstance(found, TestResult):
        row["detail"].pop("simulated")
        return {**row, "value": found.statistic, "p_value": found.p_value, "n": found.n, "method": found.null}
    if isinstance(found, HawkesFit):
        value, how = found.params["branching"], "Hawkes, exponential memory; p: time-rescaled residuals"
        return {**row, "value": value, "low": found.interval[0], "high": found.interval[1], "p_value": found.ks_p_value, "n": found.n,
                "method": how}  # fmt: skip
    low, high = found.interval
    return {**row, "value": found.ratio, "low": low, "high": high, "p_value": found.p_value, "n": found.n, "method": found.method}


def notifications(study: Study, plan: Plan) -> Rows:
    """Read the notifications the plan names: id, state and first and last possible date.

    Raises
    ------
    InputError
        If one is not in the table, or its dates are reversed. A date that is not known is None.
    """
    table = study.tables.get("notifications")
    rows = []
    for name, state in plan.timing.notified.items() if table is not None else ():
        assert table is not None
        at = np.flatnonzero(table["notification_id"] == name)
        if not len(at):
            raise InputError("no such notification", file="notifications.csv", column="notification_id", value=name)
        first, last = table["date_from"].iloc[at[0]], table["date_to"].iloc[at[0]]
        if first > last:
            raise InputError("must not come before date_from", file="notifications.csv", row=int(at[0]) + 1, column="date_to",
                             value=f"{first:%Y-%m-%d} to {last:%Y-%m-%d}")  # fmt: skip
        days = [None if pd.isna(day) else day.date().isoformat() for day in (first, last)]
        rows.append({"id": name, "state": state, "date_from": days[0], "date_to": days[1] or days[0]})
    return rows


@dataclass(frozen=True, eq=False)
class _Case:
    """Hold what every question needs: located strikes, the sites by mission, and the period."""

    study: Study
    plan: Plan
    design: Design
    sites: Sites
    start: np.datetime64
    end: np.datetime64

    @property
    def marks(self) -> pd.DataFrame:
        assert self.design.points.marks is not None
        return self.design.points.marks

    def near(self, label: str) -> Any:
        """Say which located strikes are near a site of this state or mission."""
        marks = self.sites.marks if self.sites.marks is not None else pd.DataFrame()
        held = np.zeros(self.sites.n, bool)
        for column in ("sending_state_iso3", "sending_state", "mission_id"):
            held |= (marks[column] == label).to_numpy() if column in marks else False
        points = self.design.points
        if not held.any():
            return np.zeros(points.n, bool)
        return self.sites.subset(held).distance(points.easting, points.northing) <= self.plan.verdict.ratio_radius_m

    def attack_days(self, keep: Any) -> Any:
        """Give the first day of each attack among some strikes."""
        frame = self.marks[keep]
        return as_days(frame.groupby("attack_id")["date"].min().to_numpy(), "date") if len(frame) else np.empty(0, "datetime64[D]")

    def rate(self, days: Any, date: np.datetime64) -> Answer:
        before, after = (date - self.start) / DAY, (self.end - date) / DAY + 1
        if min(before, after) <= 0:
            return NotIdentifiable("rate ratio", f"{date} lies outside the days observed, {self.start} to {self.end}")
        inside = days[(days >= self.start) & (days <= self.end)]
        return rate_ratio_test(int((inside >= date).sum()), after, int((inside < date).sum()), before)

    def claimed(self, state: str) -> Any:
        claims, missions = self.study.tables.get("claims"), self.study.tables.get("missions")
        if claims is None or missions is None:
            return None
        own = missions.loc[missions["sending_state_iso3"] == state, "mission_id"]
        return as_days(claims.loc[claims["mission_id"].isin(own), "date"].to_numpy(), "date")


def _notification_rows(case: _Case, told: Rows) -> Iterator[dict[str, Any]]:
    if not told:
        given = "notifications" in case.study.tables
        reason = "the plan names no notification" if given else "no table of notifications was given"
        yield _row("after a notification", NotIdentifiable("notification", reason))
        return
    near = case.design.sites.distance(case.design.points.easting, case.design.points.northing) <= case.plan.verdict.ratio_radius_m
    unit = np.where(near, "other", "").astype(object)
    for row in reversed(told):
        unit[case.near(row["state"])] = row["state"]
    use, period = unit != "", dict[str, Any](start=case.start, end=case.end)
    of = (case.marks["date"][use].to_numpy(), case.marks["attack_id"][use].to_numpy(), unit[use])
    for row in told:
        name = f"{row['state']} after {row['id']}"
        if row["date_from"] is None:
            yield _row(name, NotIdentifiable("notification", "the date of the notification is not known"))
            continue
        for day in dict.fromkeys((row["date_from"], row["date_to"])):
            date, claimed, dates = np.datetime64(day), case.claimed(row["state"]), {row["state"]: day}
            if claimed is not None:
                yield _row(f"{name} ({day}): events claimed, after / before", case.rate(claimed, date))
            own = case.attack_days(unit == row["state"])
            yield _row(f"{name} ({day}): attacks near, after / before", case.rate(own, date))
            yield _row(f"{name} ({day}): attacks near, against those near other sites", exact_notification_test(*of, dates, **period))
            found = notification_test(*of, dates, **period, min_days=case.plan.timing.min_days)
            yield _row(f"{name} ({day}): strikes near, difference-in-differences", found)
            series = interrupted_series(own, date, **period, step_days=case.plan.timing.series_days)
            yield _row(f"{name} ({day}): attacks near, jump beyond the trend", series)


def _events_row(case: _Case, seed: SeedSequence) -> dict[str, Any]:
    table = case.study.tables.get("events")
    if table is None:
        return _row(EVENTS, NotIdentifiable(EVENTS, "no table of dated diplomatic events was given (events.csv)"))
    days = {label: case.attack_days(case.near(label)) for label in dict.fromkeys(table["concerns"])}
    date = np.concatenate(list(days.values()))
    unit = np.repeat(np.array(list(days), object), [len(d) for d in days.values()])
    found = crossover_test(date, unit, table["date"].to_numpy(), table["concerns"].to_numpy(), window_days=case.plan.timing.event_days,
                           start=case.start, end=case.end, n_simulations=case.plan.n_simulations, rng=seed)  # fmt: skip
    return _row(EVENTS, found)


def when(study: Study, plan: Plan, design: Design, *, rng: Rng) -> Timing:
    """Ask what the plan asks about time: notifications, diplomatic events, near repeats, self-excitation.

    Parameters
    ----------
    study, plan, design
        Held-out strikes are not in the design; the claimed events are, being what was claimed, and were chosen for being near.
    rng : int, SeedSequence or Generator

    Raises
    ------
    InputError
        If the plan names a notification that is not in the table, or one whose dates are reversed.
    """
    parent, rules, b = seed_sequence(rng), plan.timing, plan.n_simulations
    seeds = [SeedSequence(parent.entropy, spawn_key=(*parent.spawn_key, k)) for k in range(5)]
    all_days = as_days(study.strikes.frame["date"].to_numpy(), "date")
    apart = replace(plan, sites=replace(plan.sites, collapse_to_buildings=False))
    case = _Case(study, plan, design, tested_sites(study.sites, apart), all_days.min(), all_days.max())
    told = notifications(study, plan)
    rows = [*_notification_rows(case, told), _events_row(case, seeds[0])]
    points, attack, time = design.points, design.attack, case.marks["date"].to_numpy("datetime64[D]")
    pairs: dict[str, Any] = {"n_simulations": b, "blocks": attack}
    d, t = rules.distances_m, rules.intervals_days
    repeats: Rows = []
    names = [f"strikes of other attacks within {d[0]:g} m and {t[0]:g} days (Knox)", "attacks near in space and time (Mantel)"]
    if len(set(attack)) < 2:
        rows += [_row(name, NotIdentifiable(name, "all located strikes are of one attack")) for name in names]
    else:
        rows.append(_row(names[0], knox_test(points, time, distance=d[0], interval=t[0], rng=seeds[1], **pairs), "pairs"))
        rows.append(_row(names[1], mantel_test(points, time, distance=d[0], interval=t[0], rng=seeds[2], **pairs), "sum"))
        table = near_repeat_table(points, time, distances=d, intervals=t, rng=seeds[3], **pairs).frame
        repeats = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
    first = as_days(study.strikes.frame.groupby("attack_id")["date"].min().to_numpy(), "date")
    at, end = (first - case.start) / DAY + 0.5, float((case.end - case.start) / DAY + 1)
    tested = excitation_test(at, end, n_simulations=b, rng=seeds[4]) if len(at) > 1 else NotIdentifiable(EXCITATION, "one attack only")
    rows.append(_row("all attacks: clustered in time?", tested, "largest score"))
    rows.append(_row("all attacks: how many each brings on", fit_hawkes(at, end), "branching ratio; p of its fit"))
    near = design.sites.distance(points.easting, points.northing) <= plan.verdict.ratio_radius_m
    return Timing(rows, repeats, plan.verdict.ratio_radius_m, told, pd.DataFrame({"date": time, "near": near}))
