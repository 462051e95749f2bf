"""Bellingcat, Civilian Harm in Ukraine: the site's CSV download and the JSON files behind its map.

Each row is one incident. Bellingcat says that its positions are within 150 m and that those it publishes are slightly moved; two
releases differ by 50 m in the median and 191 m at most. They are taken as known to 75 m on each axis and never sharpened.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from ...pattern import InputError
from ..cells import read_cells, read_text, strikes_table
from ..raw import RawTable
from .weapons import weapon_class

UNCERTAINTY_M = 75.0
FORMATS = ("%m/%d/%Y",)
# weapons that do not fall from afar: such an incident is not a strike
NOT_STRIKES = "Small arms|Land mines|Vehicle mounted weapon"


def _table(path: Path, source: str, cells: pd.DataFrame, broken: pd.DataFrame, weapon: pd.Series, url: pd.Series) -> RawTable:
    place = cells["location"].where(cells["location"] != "", cells["description"])
    kind = weapon.str.contains(NOT_STRIKES, regex=True).map({True: "other", False: "strike"})
    return strikes_table(
        path, source, cells, broken, raw_id=cells["id"], date=cells["date"], formats=FORMATS, longitude=cells["longitude"],
        latitude=cells["latitude"], uncertainty_m=UNCERTAINTY_M, kind=kind, weapon_class=weapon_class(weapon), place=place, url=url,
    )  # fmt: skip


def read_csv(path: Path, source: str) -> RawTable:
    """Read the CSV download: id, date (month/day/year), latitude, longitude, location, description, sources, associations."""
    columns = ("id", "date", "latitude", "longitude", "location", "description", "sources", "associations")
    cells, broken = read_cells(read_text(path, "utf-8"), path.name, columns)
    weapon = cells["associations"].str.extract(r"Weapon System=([^,=]*)", expand=False).fillna("")
    return _table(path, source, cells, broken, weapon, cells["sources"].str.split(",").str[0])


def read_json(path: Path, source: str) -> RawTable:
    """Read ``export_events.json`` with ``export_sources.json`` and ``export_associations.json`` beside it.

    Raises
    ------
    InputError
        If one of the three is missing or is not the list or table that the map uses.
    """
    events, sources, named = (_load(path.with_name(f"export_{name}.json")) for name in ("events", "sources", "associations"))
    if not isinstance(events, list) or not isinstance(sources, dict) or not isinstance(named, list):
        raise InputError("must hold the lists of Bellingcat's map", file=path.name)
    weapons = {a["id"]: a["title"] for a in named if isinstance(a, dict) and a.get("filter_paths", [""])[0] == "Weapon System"}
    keys = ("id", "date", "latitude", "longitude", "location", "description")
    rows = [[str(event.get(key) or "").strip() for key in keys] if isinstance(event, dict) else None for event in events]
    cells = pd.DataFrame([row for row in rows if row], columns=list(keys), index=[k for k, row in enumerate(rows, 1) if row], dtype=str)
    broken = pd.DataFrame({"reason": "is not an event"}, index=[k for k, row in enumerate(rows, 1) if row is None])
    whole = [event for event in events if isinstance(event, dict)]
    weapon = [", ".join(weapons[a] for a in event.get("associations", []) if a in weapons) for event in whole]
    url = [next((p for s in event.get("sources", []) for p in sources.get(s, {}).get("paths", []) if p != "HIDDEN"), "") for event in whole]
    series = [pd.Series(values, index=cells.index, dtype=str) for values in (weapon, url)]
    return _table(path, source, cells, broken, *series)


def _load(path: Path) -> object:
    text = read_text(path, "utf-8")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"must be JSON ({error})", file=path.name) from None
