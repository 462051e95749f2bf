"""Raw rows to clean strikes, in counted steps: no row vanishes, and each rejected one keeps its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from ..pattern import WHOLE, CleanRules, InputError, Window, project
from .cells import WEAPON_CLASSES
from .cluster import UNKNOWN, cluster_reports
from .raw import REJECTED_COLUMNS, RawTable

Areas = Mapping[str, Polygon | MultiPolygon]
STEPS = ("parsed", "not repeated", "in time", "strike type", "in window")


@dataclass(frozen=True, eq=False)
class CleanStrikes:
    """Hold clean strikes with the way they came.

    Attributes
    ----------
    strikes : DataFrame
        strike_id, date, attack_id, support, easting, northing, longitude, latitude, uncertainty_m, area, weapon_class, place,
        source_url, reports, sources.
    trace : DataFrame
        strike_id, source, raw_id, row: every report behind a strike.
    rejected : DataFrame
        ``REJECTED_COLUMNS``.
    flow : DataFrame
        step, and one column for each source and for all: how many rows are left after it; the last line counts strikes.
    files : DataFrame
        source, file, rows, sha256.
    """

    strikes: pd.DataFrame
    trace: pd.DataFrame
    rejected: pd.DataFrame
    flow: pd.DataFrame
    files: pd.DataFrame


def clean(
    tables: Sequence[RawTable],
    window: Window,
    areas: Areas,
    rules: CleanRules,
    prefix: str,
    *,
    last_dates: Mapping[str, str] | None = None,
) -> CleanStrikes:
    """Clean the raw rows of one or more sources into the strikes of a window.

    Parameters
    ----------
    tables : RawTables
    window : Window
    areas : named polygons
        Its raions; empty where it is not divided.
    rules : CleanRules
        The thresholds, from the plan.
    prefix : str
        First part of the ids of strikes and attacks.
    last_dates : {source: ISO date}, optional
        When a source's file was last added to: a later date is a slip in the year.

    Raises
    ------
    InputError
        If two tables are of one source, or no strike is left.

    Notes
    -----
    A strike is one place struck in one attack: reports within ``cluster_distance_m`` and ``cluster_days`` are one strike (see
    ``cluster.py``), at the position of the most precise report, among equally precise ones the most central. Its date is that of the
    earliest report. Reports known only to an area are one strike for each area and day, since nothing tells two of them apart. An attack
    is all strikes of one date. Cost: n log n.
    """
    screened = screen(tables, window, areas, rules, last_dates=last_dates)
    strikes, trace = _merge(screened.rows, rules, prefix)
    lon, lat = _unproject(strikes, window)
    strikes = strikes.assign(longitude=lon, latitude=lat)
    by_source = trace.drop_duplicates(["strike_id", "source"]).groupby("source").size()
    last = {"step": "clustered into strikes", **{t.source: int(by_source.get(t.source, 0)) for t in tables}, "all": len(strikes)}
    flow = pd.concat([screened.flow, pd.DataFrame([last])], ignore_index=True)
    return CleanStrikes(strikes, trace, screened.rejected, flow, _files(tables))


@dataclass(frozen=True, eq=False)
class Screened:
    """Hold the raw rows that passed every rule, placed in the window, and those that did not."""

    rows: pd.DataFrame
    rejected: pd.DataFrame
    flow: pd.DataFrame


def screen(
    tables: Sequence[RawTable], window: Window, areas: Areas, rules: CleanRules, *, last_dates: Mapping[str, str] | None = None
) -> Screened:
    """Apply the rules up to the window, row by row: repeated rows, the period, the kind, the window and its areas.

    Returns
    -------
    Screened
        ``rows`` has the raw columns and easting, northing, support (``point`` or ``area``); area rows have no coordinates.

    Raises
    ------
    InputError
        As :func:`clean`.
    """
    names = [table.source for table in tables]
    if len(set(names)) != len(names):
        raise InputError("each source must come once", value=", ".join(names))
    rows = pd.concat([table.frame for table in tables], ignore_index=True)
    rejected = [table.rejected for table in tables]
    left = pd.Series(True, index=rows.index)
    counts: list[dict[str, Any]] = [{"step": "read", **{t.source: t.n_read for t in tables}, "all": sum(t.n_read for t in tables)}]

    def count(step: str) -> None:
        held = rows["source"][left].value_counts()
        counts.append({"step": step, **{name: int(held.get(name, 0)) for name in names}, "all": int(left.sum())})

    def reject(step: str, column: str, fails: pd.Series | NDArray[np.bool_], reason: str) -> None:
        out = left & fails
        if out.any():
            part = rows.loc[out, ["source", "raw_id", "row"]].assign(
                step=step, column=column, value=rows[column][out].astype(str).str[:80], reason=reason
            )
            rejected.append(part[list(REJECTED_COLUMNS)])
            left[out] = False

    count("parsed")
    reject("not repeated", "raw_id", rows.duplicated(["source", "raw_id", "date", "longitude", "latitude", "area"]),
           "repeats an earlier row: same id, date and place")  # fmt: skip
    count("not repeated")
    frozen = pd.to_datetime(rows["source"].map(dict(last_dates or {})))
    reject("in time", "date", rows["date"] > frozen, "is later than the file itself: a slip in the year")
    reject("in time", "date", rows["date"] < pd.Timestamp(rules.period_from), f"is before the period, which begins on {rules.period_from}")
    reject("in time", "date", rows["date"] > pd.Timestamp(rules.period_to), f"is after the period, which ends on {rules.period_to}")
    count("in time")
    reject("strike type", "kind", ~rows["kind"].isin(["strike", "media"]), "does not report a strike")
    count("strike type")
    placed = rows["longitude"].notna()
    easting, northing, inside, swapped = _place(rows, window, left.to_numpy())
    reject("in window", "place", placed & swapped & ~inside, "lies outside the window, and inside with latitude and longitude exchanged")
    reject("in window", "place", placed & ~inside, "lies outside the window")
    coarse = placed & (rows["uncertainty_m"] > rules.area_above_m)
    if areas:
        reject("in window", "uncertainty_m", coarse, "is known to a settlement only, not to an area of the window")
    reject("in window", "area", ~placed & ~rows["area"].isin(list(areas)), "names no area of the window")
    count("in window")
    kept = rows[left].copy()
    point = (placed & ~coarse)[left].to_numpy()
    kept["support"] = np.where(point, "point", "area")
    kept["easting"], kept["northing"] = np.where(point, easting[left], np.nan), np.where(point, northing[left], np.nan)
    kept["area"] = _areas(kept, areas, point)
    out = pd.concat(rejected, ignore_index=True)
    if kept.empty:
        most = "the files have no rows" if out.empty else f"most rows were rejected because each {out['reason'].mode()[0]}"
        raise InputError(f"no strike is left: {most}", file=", ".join(table.file for table in tables))
    return Screened(kept.reset_index(drop=True), out, pd.DataFrame(counts))


def _place(rows: pd.DataFrame, window: Window, wanted: NDArray[np.bool_]) -> tuple[Any, Any, Any, Any]:
    """Project the rows that may lie in the window, and say which do, and which would with their coordinates exchanged."""
    n = len(rows)
    easting, northing = np.full(n, np.nan), np.full(n, np.nan)
    inside, swapped = np.zeros(n, bool), np.zeros(n, bool)
    from pyproj import Transformer

    bounds = Transformer.from_crs(window.crs, "EPSG:4326", always_xy=True).transform_bounds(*window.bounds)
    west, south, east, north = np.array(bounds) + np.array([-0.01, -0.01, 0.01, 0.01])
    e, y = rows["longitude"].to_numpy(float), rows["latitude"].to_numpy(float)
    near = np.flatnonzero(wanted & (e >= west) & (e <= east) & (y >= south) & (y <= north))
    easting[near], northing[near] = project(e[near], y[near], window)
    inside[near] = window.contains(easting[near], northing[near])
    other = np.flatnonzero(wanted & ~inside & (y >= west) & (y <= east) & (e >= south) & (e <= north))
    swapped[other] = window.contains(*project(y[other], e[other], window))
    return easting, northing, inside, swapped


def _areas(kept: pd.DataFrame, areas: Areas, point: NDArray[np.bool_]) -> NDArray[Any]:
    """Give the area that holds each point; the name stays for area rows."""
    import shapely

    if not areas:
        return np.full(len(kept), WHOLE, dtype=object)
    names = np.array(list(areas), dtype=object)
    result = kept["area"].to_numpy(object).copy()
    tree = shapely.STRtree(list(areas.values()))
    result[point] = names[tree.nearest(shapely.points(kept["easting"].to_numpy()[point], kept["northing"].to_numpy()[point]))]
    return result


def _merge(rows: pd.DataFrame, rules: CleanRules, prefix: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cluster reports into strikes, and choose for each the report that stands for it."""
    point = (rows["support"] == "point").to_numpy()
    day = rows["date"].to_numpy("datetime64[D]").astype(np.intp)
    code = rows["weapon_class"].map({name: k for k, name in enumerate(["unknown", *WEAPON_CLASSES[:-1]])}).to_numpy(np.intp)
    cluster = np.zeros(len(rows), np.intp)
    e, n = rows["easting"].to_numpy(float), rows["northing"].to_numpy(float)
    cluster[point] = cluster_reports(
        e[point],
        n[point],
        day[point].astype(np.intp),
        code[point].astype(np.intp),
        distance=rules.cluster_distance_m,
        days=rules.cluster_days,
    )
    first = int(cluster[point].max(initial=-1)) + 1
    cluster[~point] = first + rows[~point].groupby(["area", "date"], sort=True).ngroup().to_numpy()
    sigma = rows["uncertainty_m"].to_numpy(float)
    finest = pd.Series(sigma).groupby(cluster).transform("min").to_numpy()
    best = ~(sigma > finest)
    centre = pd.DataFrame({"e": np.where(best, e, np.nan), "n": np.where(best, n, np.nan)}).groupby(cluster).transform("mean").to_numpy()
    off = np.where(best, np.hypot(e - centre[:, 0], n - centre[:, 1]), np.inf)
    order = np.lexsort((rows["raw_id"].astype(str), rows["source"].astype(str), n, e, np.nan_to_num(off, nan=0.0), cluster))
    chosen = order[np.unique(cluster[order], return_index=True)[1]]
    groups = rows.groupby(cluster, sort=True)
    strikes = rows.iloc[chosen][["support", "easting", "northing", "uncertainty_m", "area", "place", "url"]].reset_index(drop=True)
    strikes["date"] = groups["date"].min().to_numpy()
    known = rows["weapon_class"].where(code != UNKNOWN)
    strikes["weapon_class"] = known.groupby(cluster).first().fillna("unknown").to_numpy()
    strikes["reports"] = groups.size().to_numpy()
    listed = pd.Series("", index=strikes.index)
    for name in sorted(rows["source"].unique()):
        has = np.isin(np.arange(len(strikes)), cluster[(rows["source"] == name).to_numpy()])
        listed = listed.mask(has, listed + ";" + name)
    strikes["sources"] = listed.str.removeprefix(";")
    strikes = strikes.rename(columns={"url": "source_url"})
    rank = np.lexsort((strikes["northing"], strikes["easting"], strikes["area"].astype(str), strikes["support"] == "area", strikes["date"]))
    strikes = strikes.assign(cluster=np.arange(len(strikes))).iloc[rank].reset_index(drop=True)
    number = strikes.groupby("date").cumcount() + 1
    date = strikes["date"].dt.strftime("%Y%m%d")
    strikes["strike_id"] = prefix + "-" + date + "-" + number.astype(str).str.zfill(2)
    strikes["attack_id"] = prefix + "-" + strikes["date"].dt.strftime("%Y-%m-%d")
    ids = strikes.set_index("cluster")["strike_id"]
    trace = rows[["source", "raw_id", "row"]].assign(strike_id=ids.reindex(cluster).to_numpy())
    trace = trace[["strike_id", "source", "raw_id", "row"]].sort_values(["strike_id", "source", "row"], ignore_index=True)
    columns = ["strike_id", "date", "attack_id", "support", "easting", "northing", "uncertainty_m", "area", "weapon_class", "place",
               "source_url", "reports", "sources"]  # fmt: skip
    return strikes[columns], trace


def _unproject(strikes: pd.DataFrame, window: Window) -> tuple[Any, Any]:
    from pyproj import Transformer

    transform = Transformer.from_crs(window.crs, "EPSG:4326", always_xy=True)
    return transform.transform(strikes["easting"].to_numpy(float), strikes["northing"].to_numpy(float))


def _files(tables: Sequence[RawTable]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source": [t.source for t in tables],
            "file": [t.file for t in tables],
            "rows": [t.n_read for t in tables],
            "sha256": [t.sha256 for t in tables],
        }
    )
