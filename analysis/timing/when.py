"""What the plan asks about time, each question with its answer or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..inference import TestResult, to_json
from ..null import Rng, seed_sequence
from ..null.draws import child_seed
from ..pattern import InputError, Plan, Study
from ..proximity import Design, tested_sites
from .answer import DAY, Answer, Days, NotIdentifiable, as_days
from .crossover import NAME as EVENTS
from .crossover import crossover_test
from .hawkes import HawkesFit, excitation_test, fit_hawkes
from .knox import knox_test, mantel_test, near_repeat_table
from .notification import exact_notification_test, interrupted_series, notification_test
from .rates import rate_ratio_test

Rows = list[dict[str, Any]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Timing:
    """Hold what was asked about time.

    Attributes
    ----------
    rows : list of dict
        question, identifiable, reason, measure, value, low, high, p_value, n, method, and the result itself under ``detail``.
    near_repeat : list of dict
        Pairs of strikes of different attacks by bands of distance and interval.
    radius, level : float
        Near means within this of a site (metres); intervals are at this level.
    notified : list of dict
        id, state, subject, date_from, date_to of the notifications examined.
    days : list of dict
        date, near (located strikes of that day within the radius of a site) and elsewhere: for the figure.
    """

    rows: Rows
    near_repeat: Rows
    radius: float
    level: float
    notified: Rows
    days: Rows

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))


def _row(question: str, found: Answer | HawkesFit | TestResult, measure: str = "ratio") -> dict[str, Any]:
    values: tuple[Any, ...]
    if isinstance(found, NotIdentifiable):
        values = (None,) * 4
    elif isinstance(found, TestResult):
        values = (found.statistic, found.p_value, found.n, found.null)
    elif isinstance(found, HawkesFit):
        values = (found.params["branching"], found.ks_p_value, found.n, "Hawkes, exponential memory; p: time-rescaled residuals")
    else:
        values = (found.ratio, found.p_value, found.n, found.method)
    low, high = getattr(found, "interval", (None, None))
    detail = {key: value for key, value in found.to_dict().items() if key != "simulated"}
    return {
        "question": question, "identifiable": not isinstance(found, NotIdentifiable), "reason": getattr(found, "reason", None),
        "measure": measure, "value": values[0], "low": low, "high": high, "p_value": values[1], "n": values[2], "method": values[3],
        "detail": detail,
    }  # fmt: skip


def notifications(study: Study, plan: Plan) -> Rows:
    """Read the notifications the plan names; a date that is not known is None.

    Raises
    ------
    InputError
        If one is not in the table, or its dates are reversed.
    """
    table, rows = study.tables.get("notifications"), []
    if table is None:
        return []
    for name, state in plan.timing.notified.items():
        at = np.flatnonzero(table["notification_id"] == name)
        if not len(at):
            raise InputError("no such notification", file="notifications.csv", column="notification_id", value=name)
        first, last = table["date_from"].iloc[at[0]], table["date_to"].iloc[at[0]]
        if first > last:
            raise InputError("must not come before date_from", file="notifications.csv", row=int(at[0]) + 1, column="date_to",
                             value=f"{first:%Y-%m-%d} to {last:%Y-%m-%d}")  # fmt: skip
        days = [None if pd.isna(day) else day.date().isoformat() for day in (first, last)]
        about = {"id": name, "state": state, "subject": str(table["subject"].iloc[at[0]])}
        rows.append({**about, "date_from": days[0], "date_to": days[1] or days[0]})
    return rows


def _near(study: Study, plan: Plan, design: Design, label: str) -> Mask:
    """Say which located strikes are near a tested site of this state or mission."""
    sites = tested_sites(study.sites, replace(plan, sites=replace(plan.sites, collapse_to_buildings=False)))
    marks = pd.DataFrame(index=range(sites.n)) if sites.marks is None else sites.marks
    named = [name for name in ("sending_state_iso3", "sending_state", "mission_id") if name in marks]
    held = (marks[named] == label).any(axis=1).to_numpy()
    if not held.any():
        return np.zeros(design.points.n, bool)
    return sites.subset(held).distance(design.points.easting, design.points.northing) <= plan.verdict.ratio_radius_m


def _attack_days(frame: pd.DataFrame) -> Days:
    """Give the first day of each attack."""
    return frame.groupby("attack_id")["date"].min().to_numpy("datetime64[D]")


def _rate(days: Days, date: Any, *, start: Any, end: Any, level: float) -> Answer:
    before, after = (date - start) / DAY, (end - date) / DAY + 1
    if min(before, after) <= 0:
        return NotIdentifiable("rate ratio", f"{date} lies outside the days observed, {start} to {end}")
    late = days >= date
    return rate_ratio_test(int((late & (days <= end)).sum()), after, int((~late & (days >= start)).sum()), before, level=level)


def _notification_rows(study: Study, plan: Plan, design: Design, near: Mask, told: Rows, start: Any, end: Any) -> Iterator[dict[str, Any]]:
    if not told:
        reason = "the plan names no notification" if "notifications" in study.tables else "no table of notifications was given"
        yield _row("after a notification", NotIdentifiable("notification", reason))
    marks, unit = design.points.marks, np.where(near, "other", "").astype(object)
    assert marks is not None
    for row in told:
        unit[_near(study, plan, design, row["state"])] = row["state"]
    use, period = unit != "", dict[str, Any](start=start, end=end, level=1 - plan.primary.level)
    of = (marks["date"][use].to_numpy(), marks["attack_id"][use].to_numpy(), unit[use])
    for row in told:
        name, state = f"{row['state']} after {row['id']}", row["state"]
        if row["date_from"] is None:
            yield _row(name, NotIdentifiable("notification", "the date of the notification is not known"))
            continue
        own, claims, missions = _attack_days(marks[unit == state]), study.tables.get("claims"), study.tables.get("missions")
        for day in dict.fromkeys((row["date_from"], row["date_to"])):
            date, asked = np.datetime64(day), f"{name} ({day}): "
            if claims is not None and missions is not None:
                theirs = claims["mission_id"].isin(missions.loc[missions["sending_state_iso3"] == state, "mission_id"])
                claimed = claims.loc[theirs, "date"].to_numpy("datetime64[D]")
                yield _row(f"{asked}events claimed, after / before", _rate(claimed, date, **period))
            yield _row(f"{asked}attacks near, after / before", _rate(own, date, **period))
            exact = exact_notification_test(*of, {state: day}, **period)
            yield _row(f"{asked}attacks near, against those near other sites", exact)
            found = notification_test(*of, {state: day}, **period, min_days=plan.timing.min_days)
            yield _row(f"{asked}strikes near, difference-in-differences", found)
            series = interrupted_series(own, date, **period, step_days=plan.timing.series_days)
            yield _row(f"{asked}attacks near, jump beyond the trend", series)


def when(study: Study, plan: Plan, design: Design, *, rng: Rng) -> Timing:
    """Ask what the plan asks about time: notifications, diplomatic events, near repeats, self-excitation.

    Held-out strikes are not in the design. The claimed events are counted as claimed, and were chosen for being near.

    Raises
    ------
    InputError
        If the plan names a notification that is not in the table, or one whose dates are reversed.
    """
    seed, rules, points, b = seed_sequence(rng), plan.timing, design.points, plan.n_simulations
    seeds = [child_seed(seed, k) for k in range(5)]
    all_days = as_days(study.strikes.frame["date"].to_numpy(), "date")
    start, end, told, level = all_days.min(), all_days.max(), notifications(study, plan), 1 - plan.primary.level
    near = design.sites.distance(points.easting, points.northing) <= plan.verdict.ratio_radius_m
    rows = list(_notification_rows(study, plan, design, near, told, start, end))
    assert points.marks is not None
    time, table = points.marks["date"].to_numpy("datetime64[D]"), study.tables.get("events")
    followed: Answer = NotIdentifiable(EVENTS, "no table of dated diplomatic events was given (events.csv)")
    if table is not None:
        days = {label: _attack_days(points.marks[_near(study, plan, design, label)]) for label in table["concerns"].unique()}
        followed = crossover_test(
            np.concatenate(list(days.values())), np.repeat(list(days), [len(d) for d in days.values()]), table["date"], table["concerns"],
            window_days=rules.event_days, start=start, end=end, n_simulations=b, rng=seeds[0], level=level,
        )  # fmt: skip
    rows.append(_row(EVENTS, followed))
    d, t, repeats = rules.distances_m, rules.intervals_days, pd.DataFrame()
    near_name = f"strikes of other attacks within {d[0]:g} m and {t[0]:g} days (Knox)"
    mantel_name = "attacks near in space and time (Mantel)"
    if len(set(design.attack)) < 2:
        rows += [_row(name, NotIdentifiable(name, "all located strikes are of one attack")) for name in (near_name, mantel_name)]
    else:
        pairs: dict[str, Any] = {"n_simulations": b, "blocks": design.attack}
        rows.append(_row(near_name, knox_test(points, time, distance=d[0], interval=t[0], rng=seeds[1], **pairs), "pairs"))
        rows.append(_row(mantel_name, mantel_test(points, time, distance=d[0], interval=t[0], rng=seeds[2], **pairs), "sum"))
        repeats = near_repeat_table(points, time, distances=d, intervals=t, rng=seeds[3], **pairs).frame
    first = _attack_days(study.strikes.frame)
    at, length = (first - start) / DAY + 0.5, float((end - start) / DAY + 1)
    few = NotIdentifiable("clustering in time", "there is one attack only")
    clustered = excitation_test(at, length, n_simulations=b, rng=seeds[4]) if len(at) > 1 else few
    rows.append(_row("all attacks: clustered in time?", clustered, "largest score"))
    rows.append(_row("all attacks: how many each brings on", fit_hawkes(at, length, level=level), "branching ratio; p of its fit"))
    listed = [{str(key): value for key, value in row.items()} for row in repeats.to_dict("records")]
    day, at_day = np.unique(time, return_inverse=True)
    per_day = (np.bincount(at_day, part, len(day)).astype(int).tolist() for part in (near, ~near))
    days_of = [{"date": str(d), "near": a, "elsewhere": b} for d, a, b in zip(day, *per_day, strict=True)]
    return Timing(rows, listed, plan.verdict.ratio_radius_m, level, told, days_of)
