"""GeoConfirmed: the KML or KMZ export of its map. Each placemark is one geolocated media item."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import ParseError

import pandas as pd
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ...pattern import InputError
from ..archives import read_member
from ..cells import strikes_table
from ..raw import RawTable
from .weapons import tells_of_a_strike, weapon_class

UNCERTAINTY_M = 60.0  # as data/hand has geolocated items: the camera and the place filmed are a building or two apart


def read_kml(path: Path, source: str) -> RawTable:
    """Read the export: the date stands in the name ("20 APR 2026"), the story and its links in the description.

    Raises
    ------
    InputError
        If the XML is broken, holds entities (which the format never needs), or is not KML.
    """
    if not path.is_file():
        raise InputError("the file does not exist", file=path)
    content = read_member(path, ".kml") if path.suffix.lower() in (".kmz", ".zip") else path.read_bytes()
    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise InputError(f"holds XML that is refused ({type(error).__name__})", file=path.name) from None
    except (ParseError, LookupError, ValueError) as error:  # LookupError: an encoding that nobody knows
        raise InputError(f"must be KML ({error})", file=path.name) from None
    if not str(root.tag).endswith("kml"):
        raise InputError("must be KML", file=path.name, value=root.tag)
    rows = [_placemark(mark) for mark in root.findall(".//{*}Placemark")]
    columns = ["name", "description", "longitude", "latitude"]
    cells = pd.DataFrame(rows, columns=columns, index=pd.RangeIndex(1, len(rows) + 1), dtype=str)
    date = cells["name"].str.extract(r"^(\d{1,2} [A-Za-z]{3} \d{4})", expand=False).fillna(cells["name"])
    plain = cells["description"].str.replace(r"<[^>]*>", " ", regex=True).str.split().str.join(" ")
    link = cells["description"].str.extract(r'(https?://[^\s<"\)\]]+)', expand=False).fillna("")
    return strikes_table(
        path, source, cells, pd.DataFrame({"reason": []}), raw_id=None, date=date, formats=("%d %b %Y",), longitude=cells["longitude"],
        latitude=cells["latitude"], uncertainty_m=UNCERTAINTY_M, kind=tells_of_a_strike(plain).map({True: "media", False: "other"}),
        weapon_class=weapon_class(plain), place=plain.str[:120], url=link,
    )  # fmt: skip


def _placemark(mark) -> list[str]:  # type: ignore[no-untyped-def]
    def text(name: str) -> str:
        found = mark.find(f".//{{*}}{name}")
        return "" if found is None else (found.text or "").strip()

    point = mark.find(".//{*}Point/{*}coordinates")
    parts = [] if point is None else (point.text or "").strip().split(",")
    return [text("name"), text("description"), *(parts[:2] if len(parts) >= 2 else ["", ""])]
