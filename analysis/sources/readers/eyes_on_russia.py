"""Eyes on Russia (Centre for Information Resilience), as published until December 2022: media items, not strikes.

One strike has many items; they are clustered in cleaning. Positions are those of the place filmed, checked against 107 incidents that
Bellingcat has too: 90 % within 84 m. They are taken as known to 60 m on each axis.
"""

from __future__ import annotations

from pathlib import Path

from ..cells import read_cells, read_text, strikes_table
from ..raw import RawTable
from .weapons import weapon_class

UNCERTAINTY_M = 60.0
# groups whose items show a place that was struck; the others show troops, losses, weapons or detentions
STRUCK = r"^(?:Civilian Infrastructure Damage|Bombing or Explosion|Civilian Casualty|Military Infrastructure Damage)"


def read_csv(path: Path, source: str) -> RawTable:
    """Read the CSV: entry, date, event_group, title, brief description, lat, lon, town/city, arms/munition, link and others."""
    columns = ("entry", "date", "event_group", "brief description", "lat", "lon", "arms/munition", "link")
    cells, broken = read_cells(read_text(path, "utf-8"), path.name, columns)
    words = cells["arms/munition"].where(cells["arms/munition"] != "", cells["brief description"])
    kind = cells["event_group"].str.contains(STRUCK, regex=True).map({True: "media", False: "other"})
    return strikes_table(
        path, source, cells, broken, raw_id=cells["entry"], date=cells["date"], formats=("%Y-%m-%d",), longitude=cells["lon"],
        latitude=cells["lat"], uncertainty_m=UNCERTAINTY_M, kind=kind, weapon_class=weapon_class(words),
        place=cells["brief description"], url=cells["link"].str.split(",").str[0],
    )  # fmt: skip
