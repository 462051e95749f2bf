"""Sources of diplomatic missions: database-of-embassies, OpenStreetMap, Wikidata. Their positions are those of buildings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from ...pattern import InputError
from ..cells import read_cells, read_text, sites_table
from ..raw import RawTable

BUILDING_M = 30.0


def read_embassies(path: Path, source: str) -> RawTable:
    """Read database-of-embassies: a semicolon-separated export of Wikidata, one row for each mission of the world."""
    columns = ("operator", "country", "city", "latitude", "longitude", "website", "type", "QID")
    head, _, body = read_text(path, "utf-8").partition("\n")
    # the header ends in a separator, the rows do not
    cells, broken = read_cells(head.rstrip(";\r") + "\n" + body, path.name, columns, separator=";")
    return sites_table(
        path, source, cells, broken, raw_id=cells["QID"].str.rsplit("/", n=1).str[-1], name=cells["operator"] + ", " + cells["type"],
        type=cells["type"], holder=cells["operator"], city=cells["city"], longitude=cells["longitude"], latitude=cells["latitude"],
        uncertainty_m=BUILDING_M, url=cells["QID"],
    )  # fmt: skip


def read_overpass(path: Path, source: str) -> RawTable:
    """Read Overpass JSON (``out center``): nodes, and ways and relations with a centre, tagged as diplomatic offices.

    Raises
    ------
    InputError
        If it is not the JSON of an Overpass query.
    """
    try:
        elements = json.loads(read_text(path, "utf-8"))["elements"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise InputError("must be the JSON of an Overpass query, with elements", file=path.name) from None
    rows, wrong = {}, {}
    for number, element in enumerate(elements, 1):
        tags = element.get("tags", {}) if isinstance(element, dict) else {}
        if tags.get("office") != "diplomatic" and tags.get("amenity") != "embassy":
            wrong[number] = "is not tagged as a diplomatic office"
            continue
        at = element if "lat" in element else element.get("center", {})
        rows[number] = {
            "raw_id": f"{element.get('type')}/{element.get('id')}", "name": tags.get("name:en", tags.get("name", "")),
            "type": tags.get("diplomatic", tags.get("embassy", "")), "holder": tags.get("country", ""), "city": tags.get("addr:city", ""),
            "longitude": str(at.get("lon", "")), "latitude": str(at.get("lat", "")),
        }  # fmt: skip
    columns = ["raw_id", "name", "type", "holder", "city", "longitude", "latitude"]
    cells = pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype=str)
    url = "https://www.openstreetmap.org/" + cells["raw_id"]
    broken = pd.DataFrame({"reason": pd.Series(wrong, dtype=object)})
    named: dict[str, Any] = {column: cells[column] for column in columns}
    return sites_table(path, source, cells, broken, **named, uncertainty_m=BUILDING_M, url=url)


def read_wikidata(path: Path, source: str) -> RawTable:
    """Read the CSV of a Wikidata query with the columns item, itemLabel, typeLabel, operatorLabel, cityLabel and coord (a WKT point)."""
    columns = ("item", "itemLabel", "typeLabel", "operatorLabel", "cityLabel", "coord")
    cells, broken = read_cells(read_text(path, "utf-8"), path.name, columns)
    at = cells["coord"].str.extract(r"^Point\(\s*(\S+)\s+(\S+?)\s*\)$", expand=True).fillna("")
    return sites_table(
        path, source, cells, broken, raw_id=cells["item"].str.rsplit("/", n=1).str[-1], name=cells["itemLabel"], type=cells["typeLabel"],
        holder=cells["operatorLabel"], city=cells["cityLabel"], longitude=at[0], latitude=at[1],
        uncertainty_m=BUILDING_M, url=cells["item"],
    )  # fmt: skip
