"""The embedded facts: tables that a person coded, made into a study of Kyiv."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from ..pattern import InputError, Plan, Sites, Strikes, Study, Window
from .geometry import place, read_areas, read_window
from .schemas import HAND, OPTIONAL
from .tables import read_table

PLACE = "Kyiv"
CREDIT = "Facts: data/hand (each row with its source). Boundaries: © OpenStreetMap contributors, ODbL 1.0. Missions: Wikidata, CC0."
GEOMETRY = ("kyiv_window.geojson", "kyiv_raions.geojson")
# the raion polygons are simplified: their borders are off by up to this (data/README.md)
RAION_TOLERANCE_M = 307.0
WINDOW_TOLERANCE_M = 60.0


def read_hand(folder: Path) -> dict[str, pd.DataFrame]:
    """Read and validate all tables of ``data/hand``, the optional ones where they are there."""
    given = {name: schema for name, schema in OPTIONAL.items() if (folder / f"{name}.csv").exists()}
    return {name: read_table(folder / f"{name}.csv", schema) for name, schema in {**HAND, **given}.items()}


def load_study(folder: Path, plan: Plan) -> Study:
    """Build the study of Kyiv from the embedded facts.

    Parameters
    ----------
    folder : Path
        ``data/hand``.
    plan : Plan
        Says how near to a claim's mission, on its date, a strike counts as one that prompted the study.

    Raises
    ------
    InputError
        For any fault in a table, a point outside the window or outside its raion, or a claim about an unknown mission.
    """
    tables = read_hand(folder)
    window = read_window(folder / GEOMETRY[0])
    areas = read_areas(folder / GEOMETRY[1], window)
    missions = tables["missions"]
    here = missions[missions["city"] == PLACE].reset_index(drop=True)
    if here.empty:
        raise InputError(f"there are no sites in {PLACE}", file="missions.csv", column="city")
    here = place(here, window, "missions.csv", "mission_id")
    sites = Sites(here["easting"], here["northing"], window, here.drop(columns=["easting", "northing"]))
    strikes = place(tables["strikes"], window, "strikes.csv", "strike_id", tolerance=WINDOW_TOLERANCE_M).rename(columns={"raion": "area"})
    off = raion_offsets(strikes, areas)
    far = np.flatnonzero(off > RAION_TOLERANCE_M + 3 * strikes["uncertainty_m"].fillna(0).to_numpy())
    if len(far):
        row = int(far[0])
        raise InputError("the point lies outside its raion", file="strikes.csv", row=row + 1, column="raion",
                         value=f"{strikes['strike_id'][row]}, {off[row]:.0f} m off")  # fmt: skip
    claims = tables["claims"]
    unknown = ~claims["mission_id"].isin([*missions["mission_id"], *tables["state_assets"]["asset_id"]])
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise InputError("must name a mission or a state asset", file="claims.csv", row=row + 1, column="mission_id",
                         value=claims["mission_id"][row])  # fmt: skip
    strikes = strikes.assign(selection=selection(strikes, claims, sites, plan.held_out.match_distance_m))
    aim = tables["aim_points"]
    aim = place(aim[aim["inside_city"] == True].reset_index(drop=True), window, "aim_points.csv", "aim_id")  # noqa: E712
    return Study(PLACE, window, _strikes(strikes, window), sites, areas, aim, tables, _sources(folder, tables), CREDIT)


def _strikes(frame: pd.DataFrame, window: Window) -> Strikes:
    try:
        return Strikes(frame, window)
    except InputError as error:
        raise InputError(error.rule, file="strikes.csv", row=error.row, column=error.column, value=error.value) from None


def selection(strikes: pd.DataFrame, claims: pd.DataFrame, sites: Sites, distance: float) -> list[str]:
    """Mark as prompting each strike on a claim's date within ``distance`` of the claim's mission; the rest are systematic.

    The rule looks at dates and positions only, and is the same for every claim. An area row has no position and cannot match.
    """
    marks = sites.marks
    assert marks is not None
    result = np.full(len(strikes), "systematic", dtype=object)
    for claim in claims.itertuples():
        at = np.flatnonzero(marks["mission_id"] == claim.mission_id)
        if len(at):
            apart = np.hypot(strikes["easting"] - sites.easting[at[0]], strikes["northing"] - sites.northing[at[0]])
            result[(strikes["date"] == claim.date) & (apart <= distance)] = "prompting"
    return [str(value) for value in result]


def raion_offsets(strikes: pd.DataFrame, areas: dict[str, shapely.Polygon | shapely.MultiPolygon]) -> np.ndarray:
    """Give how far each point row lies outside the polygon of its raion (metres, 0 inside or for area rows).

    Raises
    ------
    InputError
        If a strike names a raion that has no polygon.
    """
    unknown = ~strikes["area"].isin(list(areas))
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise InputError("no polygon of this name", file="strikes.csv", row=row + 1, column="raion", value=strikes["area"][row])
    result = np.zeros(len(strikes))
    placed = strikes["easting"].notna().to_numpy()
    points = shapely.points(strikes["easting"][placed], strikes["northing"][placed])
    result[placed] = shapely.distance([areas[name] for name in strikes["area"][placed]], points)
    return result


def _sources(folder: Path, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    rows = [(f"{name}.csv", len(table)) for name, table in tables.items()] + [(name, 0) for name in GEOMETRY]
    sums = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name, _ in rows]
    return pd.DataFrame({"file": [name for name, _ in rows], "rows": [n for _, n in rows], "sha256": sums})
