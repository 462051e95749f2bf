"""Raw rows: what a reader makes of one file of a source, before any cleaning."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

RAW_COLUMNS = (
    "source",  # id in the registry
    "raw_id",  # the file's own id, or its row number where it has none; as text
    "row",  # from 1, under the header
    "date",  # datetime64[ns], local day of the event
    "longitude",
    "latitude",  # WGS84 degrees; both empty when only an area is known
    "uncertainty_m",  # standard deviation on each axis, from the source's precision class
    "area",  # name of the area, where that is all that is known
    "kind",  # strike, media (an item about a strike) or other (kept out of strikes)
    "weapon_class",  # as in data/hand/strikes.csv: drone, cruise, ballistic, hypersonic, artillery_mlrs, unknown
    "place",  # text
    "url",  # text
)
SITE_COLUMNS = ("source", "raw_id", "row", "name", "type", "holder", "city", "longitude", "latitude", "uncertainty_m", "url")
REJECTED_COLUMNS = ("source", "raw_id", "row", "step", "column", "value", "reason")


@dataclass(frozen=True, eq=False)
class RawTable:
    """Hold the rows of one file that could be parsed, and those that could not with their reason.

    Attributes
    ----------
    source, file, sha256 : str
    frame : DataFrame
        ``RAW_COLUMNS`` (``SITE_COLUMNS`` for a source of sites), one row for each parsed row of the file.
    rejected : DataFrame
        ``REJECTED_COLUMNS``; ``len(frame) + len(rejected) == n_read``.
    n_read : int
        Rows in the file.
    """

    source: str
    file: str
    sha256: str
    frame: pd.DataFrame
    rejected: pd.DataFrame
    n_read: int


def file_sha256(path: Path) -> str:
    """Give the SHA-256 of a file, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
