"""A user's own files: strikes and sites from CSV, Excel, GeoJSON or GeoParquet, and the study made of them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from pyogrio.errors import DataSourceError
from shapely.errors import ShapelyError

from ..pattern import InputError, Plan, Sites, Strikes, Study, Window, project
from .cells import WEAPON_CLASSES, Rule, decode, read_cells, sites_table, strikes_table
from .clean import screen
from .geometry import read_areas, read_window
from .raw import RawTable, file_sha256

STRIKE_COLUMNS = ("strike_id", "date", "longitude", "latitude", "uncertainty_m", "area", "weapon_class", "place", "source_url",
                  "attack_id", "selection", "mechanism", "source_publisher")  # fmt: skip
SITE_COLUMNS = ("site_id", "name", "longitude", "latitude", "uncertainty_m", "building_id", "party_to_conflict", "enters_through")
COMPLETENESS = ("where", "first", "second", "completeness")
NEEDED = ("date", "longitude", "latitude", "uncertainty_m")
SPATIAL = (".geojson", ".json", ".gpkg", ".shp", ".parquet")


def own_study(
    name: str,
    strikes: Path,
    sites: Path,
    window: Path,
    plan: Plan,
    *,
    areas: Path | None = None,
    aim_points: Path | None = None,
    placebo_sites: Sequence[Path] = (),
    completeness: Path | None = None,
) -> Study:
    """Build a study from files of the user's own.

    Parameters
    ----------
    name : str
        The place, as printed.
    strikes, sites : Path
        Tables; the plan's ``own_data`` gives the user's names for our columns. Strikes need date, longitude, latitude and uncertainty_m,
        sites longitude and latitude; the others of ``STRIKE_COLUMNS`` and ``SITE_COLUMNS`` are used where they are there. Spatial files
        carry positions as points.
    window, areas, aim_points : Path
        Polygons; polygons with a ``name``; a table like sites.
    placebo_sites : sequence of Path
        Tables like sites, of places that are none (schools, hotels), a file for each kind.
    completeness : Path
        ``completeness.csv`` as :func:`~analysis.report.package` writes it.

    Raises
    ------
    InputError
        For whatever cannot be used, with file, row, column and value. Here a row that fails stops the run: the user can mend it. Strikes
        outside the window or the period are left out and counted in the study's table ``flow``.

    Notes
    -----
    Each row is one strike; an attack is an ``attack_id``, or else a date.
    """
    region = read_window(window)
    places = read_sites(sites, region, plan)
    named = {} if areas is None else read_areas(areas, region, "name")
    table, extra = _strikes(strikes, plan)
    found = screen([table], region, named, plan.clean)
    _swapped(found.rejected, strikes.name)
    rows = found.rows
    more = extra.loc[rows["row"]].reset_index(drop=True)
    date = rows["date"].dt.strftime("%Y-%m-%d")
    frame = rows[["date", "support", "easting", "northing", "uncertainty_m", "area", "weapon_class", "place"]].assign(
        strike_id=rows["raw_id"], attack_id=more["attack_id"].where(more["attack_id"] != "", date), source_url=rows["url"],
        selection=more["selection"].where(more["selection"] != "", "systematic"), mechanism=more["mechanism"],
        source_publisher=more["source_publisher"],
    )  # fmt: skip
    try:
        kept = Strikes(frame, region)
    except InputError as error:
        row = None if error.row is None else int(rows["row"].iloc[int(str(error.row)) - 1])
        raise InputError(error.rule, file=strikes.name, row=row, column=error.column, value=error.value) from None
    aim = None
    if aim_points is not None:
        found_aim = read_sites(aim_points, region, plan)
        assert found_aim.marks is not None
        aim = found_aim.marks.assign(easting=found_aim.easting, northing=found_aim.northing)
    tables = {"flow": found.flow}
    if placebo_sites:
        kinds = [(path.stem, read_sites(path, region, plan)) for path in placebo_sites]
        tables["placebo_sites"] = pd.concat(
            [pd.DataFrame({"kind": kind, "easting": at.easting, "northing": at.northing}) for kind, at in kinds], ignore_index=True
        )
    if completeness is not None:
        tables["completeness"] = _completeness(completeness)
    given = (strikes, sites, window, areas, aim_points, *placebo_sites, completeness)
    files = [path for path in given if path is not None]
    listed = pd.DataFrame({"file": [p.name for p in files], "rows": 0, "sha256": [file_sha256(p) for p in files]})
    listed.loc[0, "rows"] = table.n_read
    credit = f"Data: {', '.join(path.name for path in files)}."
    listed.loc[1, "rows"] = places.n
    return Study(name, region, kept, places, named, aim, tables, listed, credit)


def _completeness(path: Path) -> pd.DataFrame:
    """Read what capture-recapture estimated of two sources."""
    cells, broken = read_own(path, {}, COMPLETENESS, COMPLETENESS, "utf-8")
    if len(broken):
        raise InputError(broken["reason"].iloc[0], file=path.name)
    share = pd.to_numeric(cells["completeness"], errors="coerce")
    wrong = (cells["completeness"] != "") & ~share.between(0, 1, inclusive="right")
    if wrong.any():
        raise InputError("must be a share above 0 and at most 1, or empty", file=path.name, row=int(np.flatnonzero(wrong)[0]) + 1,
                         column="completeness", value=cells["completeness"][wrong].iloc[0])  # fmt: skip
    return cells.assign(completeness=share).reset_index(drop=True)


def read_sites(path: Path, region: Window, plan: Plan) -> Sites:
    """Read the sites of a window from a file of the user's own; those outside it are left out.

    Raises
    ------
    InputError
        As :func:`own_study`, or if no site lies in the window: it says so when the coordinates look swapped.
    """
    frame = _sites(path, plan)
    easting, northing = project(frame["longitude"], frame["latitude"], region)
    inside = region.contains(easting, northing)
    if not inside.any():
        swapped = region.contains(*project(frame["latitude"], frame["longitude"], region)).any()
        rule = "latitude and longitude look swapped" if swapped else "no site lies in the window"
        raise InputError(rule, file=path.name, column="longitude, latitude")
    return Sites(easting[inside], northing[inside], region, frame[inside].reset_index(drop=True))


def _strikes(path: Path, plan: Plan) -> tuple[RawTable, pd.DataFrame]:
    rules = plan.own_data
    cells, broken = read_own(path, rules.strikes, STRIKE_COLUMNS, NEEDED, rules.encoding)
    sigma = pd.to_numeric(cells["uncertainty_m"].str.replace(",", ".", regex=False), errors="coerce")
    unknown = cells["weapon_class"] == ""

    def further(frame: pd.DataFrame) -> list[Rule]:
        placed = cells["longitude"] != ""
        wrong = placed & ~((sigma > 0) & np.isfinite(sigma))
        weapon = ~unknown & ~cells["weapon_class"].isin(WEAPON_CLASSES)
        return [
            ("uncertainty_m", wrong, "must be a number of metres above zero"),
            ("weapon_class", weapon, f"must be one of {', '.join(WEAPON_CLASSES)}"),
        ]

    ids = cells["strike_id"].where(cells["strike_id"] != "", pd.Series(cells.index, index=cells.index).astype(str))
    table = strikes_table(
        path, "own", cells, broken, raw_id=ids, date=cells["date"], formats=rules.date_formats, longitude=cells["longitude"],
        latitude=cells["latitude"], uncertainty_m=sigma, area=cells["area"].where(cells["longitude"] == "", ""),
        weapon_class=cells["weapon_class"].mask(unknown, "unknown"), place=cells["place"], url=cells["source_url"],
        decimal=rules.decimal, rules=further,
    )  # fmt: skip
    _whole(table, path.name)
    twice = table.frame["raw_id"].duplicated()
    if twice.any():
        at = table.frame[twice].iloc[0]
        raise InputError("the id must be unique", file=path.name, row=int(at["row"]), column="strike_id", value=at["raw_id"])
    return table, cells


def _sites(path: Path, plan: Plan) -> pd.DataFrame:
    rules = plan.own_data
    cells, broken = read_own(path, rules.sites, SITE_COLUMNS, ("longitude", "latitude"), rules.encoding)
    number = pd.Series(cells.index, index=cells.index).astype(str)
    ids = cells["site_id"].where(cells["site_id"] != "", number)
    stated = cells["uncertainty_m"] != ""
    sigma = pd.to_numeric(cells["uncertainty_m"].where(stated, "0"), errors="coerce")
    wrong = ~((sigma >= 0) & np.isfinite(sigma))
    if wrong.any():
        row, value = int(cells.index[wrong][0]), cells["uncertainty_m"][wrong].iloc[0]
        raise InputError("must be a number of metres, zero or above", file=path.name, row=row, column="uncertainty_m", value=value)
    table = sites_table(
        path, "own", cells, broken, raw_id=ids, name=cells["name"].where(cells["name"] != "", ids), type="", holder="", city="",
        longitude=cells["longitude"], latitude=cells["latitude"], uncertainty_m=sigma, url="", decimal=rules.decimal,
    )  # fmt: skip
    _whole(table, path.name)
    frame = table.frame.rename(columns={"raw_id": "site_id"})
    building = cells["building_id"].loc[frame["row"]].to_numpy()
    frame["building_id"] = np.where(building == "", frame["site_id"], building)
    frame["names"] = frame["name"]
    more = cells.loc[frame["row"]].reset_index(drop=True)
    party = more["party_to_conflict"].str.lower().replace("", "false")
    if not party.isin(["true", "false"]).all():
        row = int(np.flatnonzero(~party.isin(["true", "false"]))[0])
        raise InputError("must be true or false", file=path.name, row=int(frame["row"][row]), column="party_to_conflict", value=party[row])
    frame["party_to_conflict"] = (party == "true").to_numpy()
    frame["enters_through"] = more["enters_through"].replace("", "register").to_numpy()
    if frame["site_id"].duplicated().any():
        at = frame[frame["site_id"].duplicated()].iloc[0]
        raise InputError("the id must be unique", file=path.name, row=int(at["row"]), column="site_id", value=at["site_id"])
    return frame


def read_own(
    path: Path, mapping: dict[str, str], columns: tuple[str, ...], needed: tuple[str, ...], encoding: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a table of any of the formats as cells of text, under our column names.

    Raises
    ------
    InputError
        If the file cannot be read, a needed column is missing, the mapping names an unknown one, or spatial data have no CRS or no points.
    """
    if not path.is_file():
        raise InputError("the file does not exist", file=path)
    for ours in mapping:
        if ours not in columns:
            raise InputError(f"the plan maps a column that is not among {', '.join(columns)}", file=path.name, column=ours)
    kind = path.suffix.lower()
    if kind in SPATIAL:
        cells, broken = _spatial(path, mapping), pd.DataFrame({"reason": []})
    elif kind == ".xlsx":
        cells, broken = _sheet(path), pd.DataFrame({"reason": []})
    else:
        text = decode(path.read_bytes(), path.name, encoding)
        separator = max(",;\t", key=text[: text.find("\n")].count)
        cells, broken = read_cells(text, path.name, [mapping.get(c, c) for c in needed], separator=separator)
    cells = cells.rename(columns={theirs: ours for ours, theirs in mapping.items()})
    for column in columns:
        times = list(cells.columns).count(column)
        if times > 1 or (times == 0 and column in needed):
            raise InputError("must have this column once", file=path.name, column=mapping.get(column, column))
    cells = cells.loc[:, cells.columns.isin(columns)]
    if cells.empty and broken.empty:
        raise InputError("the file has no rows", file=path.name)
    return cells.reindex(columns=list(columns), fill_value="").astype(str), broken


def _sheet(path: Path) -> pd.DataFrame:
    try:
        sheet = pd.read_excel(path, dtype=object)
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"must be an Excel sheet ({error})", file=path.name) from None
    sheet.index = pd.RangeIndex(1, len(sheet) + 1)
    return sheet.map(lambda cell: "" if pd.isna(cell) else cell.date().isoformat() if hasattr(cell, "date") else str(cell).strip())


def _spatial(path: Path, mapping: dict[str, str]) -> pd.DataFrame:
    try:
        frame = gpd.read_parquet(path) if path.suffix.lower() == ".parquet" else gpd.read_file(path)
    except (DataSourceError, ShapelyError, ValueError, OSError) as error:
        raise InputError(f"cannot be read as spatial data ({str(error)[:100]})", file=path.name) from None
    if frame.crs is None:
        raise InputError("has no CRS", file=path.name)
    if len(frame) == 0:
        raise InputError("the file has no rows", file=path.name)
    unplaced = frame.geometry.isna() | frame.geometry.is_empty
    if not (frame.geometry[~unplaced].geom_type == "Point").all():
        raise InputError("must hold points", file=path.name)
    at = frame.to_crs("EPSG:4326").geometry
    if not np.isfinite(at[~unplaced].x).all():
        raise InputError("has coordinates outside its CRS", file=path.name, value=frame.crs.name)
    text = pd.DataFrame(frame.drop(columns=frame.geometry.name)).map(
        lambda v: "" if pd.isna(v) else v.date().isoformat() if hasattr(v, "date") else str(v)
    )
    shown = {"longitude": at.x, "latitude": at.y}
    for name, values in shown.items():
        text[mapping.get(name, name)] = values.map(lambda v: "" if pd.isna(v) else repr(float(v)))
    text.index = pd.RangeIndex(1, len(text) + 1)
    return text


def _whole(table: RawTable, file: str) -> None:
    if len(table.rejected):
        at = table.rejected.iloc[0]
        raise InputError(at["reason"], file=file, row=int(at["row"]), column=at["column"] or None, value=at["value"] or None)


def _swapped(rejected: pd.DataFrame, file: str) -> None:
    swapped = rejected[rejected["reason"].astype(str).str.contains("exchanged")]
    if len(swapped):
        raise InputError("latitude and longitude look swapped", file=file, row=int(swapped["row"].iloc[0]), column="longitude, latitude",
                         value=swapped["raw_id"].iloc[0])  # fmt: skip
