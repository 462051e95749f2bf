"""Event data sets coded from news: UCDP GED, ACLED, VIINA. Most of their positions are centroids of settlements, not places.

References
----------
Högbladh, S. (2023). UCDP Georeferenced Event Dataset codebook, version 23.1: ``where_prec``, ``date_prec``.
ACLED (2023). Codebook: ``geo_precision``, ``time_precision``.
Zhukov, Y. M. and Ayers, N. (2023). VIINA 2.0: codebook, ``GEO_PRECISION``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ...pattern import InputError
from ..archives import read_member
from ..cells import decode, read_cells, read_text, strikes_table
from ..raw import RawTable
from .weapons import tells_of_a_strike, weapon_class

SETTLEMENT_M = 3000.0  # half the breadth of a city: what the centroid of a settlement can say about a place in it
STREET_M = 150.0


def _cut_time(text: pd.Series) -> pd.Series:
    """Drop a time of day, which UCDP writes as 00:00:00.000."""
    return text.str.replace(r"[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?$", "", regex=True)


def read_ucdp(path: Path, source: str) -> RawTable:
    """Read UCDP GED or its candidate release (UTF-8, or Windows-1252 as some copies are).

    ``where_prec`` 1 and 2 (a settlement, or within 25 km of one) keep their position with a settlement's uncertainty; 3 to 7 (districts,
    regions, lines, the country) lose it and keep the name. An event is a strike if it is dated to the day (``date_prec`` 1) and a headline
    tells of fire from afar: the data set has no column for that.
    """
    columns = (
        "id",
        "where_prec",
        "latitude",
        "longitude",
        "date_prec",
        "date_start",
        "source_headline",
        "where_coordinates",
        "adm_1",
        "adm_2",
    )
    try:
        text = read_text(path, "utf-8")
    except InputError as error:
        if "is not utf-8" not in error.rule:
            raise
        text = read_text(path, "cp1252")
    cells, broken = read_cells(text, path.name, columns)
    fine = cells["where_prec"].isin(["1", "2"])
    wanted = cells["date_prec"].eq("1") & tells_of_a_strike(cells["source_headline"])
    name = cells["adm_2"].where(cells["adm_2"] != "", cells["adm_1"])
    return strikes_table(
        path, source, cells, broken, raw_id=cells["id"], date=_cut_time(cells["date_start"]), formats=("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y"),
        longitude=cells["longitude"].where(fine, ""), latitude=cells["latitude"].where(fine, ""),
        uncertainty_m=cells["where_prec"].map({"1": SETTLEMENT_M, "2": 12_500.0}).astype(float),
        area=name.where(~fine, ""), kind=wanted.map({True: "strike", False: "other"}),
        weapon_class="unknown", place=cells["where_coordinates"], url=cells.get("source_original", ""),
        rules=lambda frame: [("where_prec", ~cells["where_prec"].isin(list("1234567")), "must be 1 to 7")],
    )  # fmt: skip


STRIKE_EVENTS = ("Air/drone strike", "Shelling/artillery/missile attack", "Remote explosive/landmine/IED")


def read_acled(path: Path, source: str) -> RawTable:
    """Read an ACLED export: strikes from the air, shelling and missiles, dated to the day (``time_precision`` 1).

    ``geo_precision`` 1 is a named place, in a city often its centre; 2 a part of a region near a settlement; 3 a region, whose position
    is dropped.
    """
    columns = (
        "event_id_cnty",
        "event_date",
        "time_precision",
        "sub_event_type",
        "latitude",
        "longitude",
        "geo_precision",
        "location",
        "admin2",
    )
    cells, broken = read_cells(read_text(path, "utf-8"), path.name, columns)
    fine = cells["geo_precision"].isin(["1", "2"])
    notes = cells.get("notes", pd.Series("", index=cells.index))
    wanted = cells["sub_event_type"].isin(STRIKE_EVENTS[:2]) & cells["time_precision"].eq("1")
    return strikes_table(
        path, source, cells, broken, raw_id=cells["event_id_cnty"], date=cells["event_date"], formats=("%Y-%m-%d", "%d %B %Y", "%d-%B-%Y"),
        longitude=cells["longitude"].where(fine, ""), latitude=cells["latitude"].where(fine, ""),
        uncertainty_m=cells["geo_precision"].map({"1": SETTLEMENT_M, "2": 12_500.0}).astype(float),
        area=cells["admin2"].where(~fine, ""), kind=wanted.map({True: "strike", False: "other"}),
        weapon_class=weapon_class(cells["sub_event_type"].where(notes == "", notes)), place=cells["location"], url=cells.get("source", ""),
        rules=lambda frame: [("geo_precision", ~cells["geo_precision"].isin(list("123")), "must be 1 to 3")],
    )  # fmt: skip


VIINA_STRIKES = ("t_airstrike_b", "t_artillery_b", "t_uav_b")


def read_viina(path: Path, source: str) -> RawTable:
    """Read one year of VIINA: ``event_info_latest_YYYY.zip`` with ``event_labels_latest_YYYY.zip`` beside it, joined on ``event_id``.

    Reports are media items. ``GEO_PRECISION`` STREET keeps a street's uncertainty, ADM3 (a settlement) a settlement's; wider ones lose
    their position.
    """
    labels_path = path.with_name(path.name.replace("event_info", "event_labels"))
    if labels_path == path:
        raise InputError("must be named event_info_latest_YYYY.zip", file=path.name)
    columns = ("event_id", "date", "longitude", "latitude", "GEO_PRECISION", "asciiname", "ADM2_NAME", "url", "text")
    cells, broken = read_cells(_only_csv(path), path.name, columns)
    labels, _ = read_cells(_only_csv(labels_path), labels_path.name, ("event_id", *VIINA_STRIKES))
    if labels["event_id"].duplicated().any():
        raise InputError("the id must be unique", file=labels_path.name, column="event_id",
                         value=labels["event_id"][labels["event_id"].duplicated()].iloc[0])  # fmt: skip
    flags = labels.set_index("event_id")[list(VIINA_STRIKES)].isin(["1", "1.0", "TRUE", "True"]).reindex(cells["event_id"])
    known = flags.notna().all(axis=1).to_numpy()
    hit = flags.astype(object).fillna(False).astype(bool).to_numpy()
    precision = cells["GEO_PRECISION"].str.upper()
    fine = precision.isin(["STREET", "ADM3"])
    weapon = np.select([hit[:, 2], hit[:, 1]], ["drone", "artillery_mlrs"], "unknown")
    return strikes_table(
        path, source, cells, broken, raw_id=cells["event_id"], date=cells["date"], formats=("%Y%m%d", "%Y-%m-%d"),
        longitude=cells["longitude"].where(fine, ""), latitude=cells["latitude"].where(fine, ""),
        uncertainty_m=precision.map({"STREET": STREET_M, "ADM3": SETTLEMENT_M}).astype(float),
        area=cells["ADM2_NAME"].where(~fine, ""), kind=pd.Series(np.where(hit.any(axis=1), "media", "other"), index=cells.index),
        weapon_class=pd.Series(weapon, index=cells.index), place=cells["asciiname"], url=cells["url"],
        rules=lambda frame: [("event_id", pd.Series(~known, index=cells.index), f"has no labels in {labels_path.name}")],
    )  # fmt: skip


def _only_csv(path: Path) -> str:
    return decode(read_member(path, ".csv"), path.name, "utf-8")
