"""The way back: from a clean strike to its raw rows, their files, the files' sums and where they came from."""

from __future__ import annotations

import csv
from pathlib import Path

from ..pattern import InputError
from .raw import file_sha256


def trace_strike(strike_id: str, clean: Path, hand: Path) -> list[dict[str, str]]:
    """Find a strike among the clean ones, and then among the coded facts.

    Parameters
    ----------
    strike_id : str
    clean, hand : Path
        ``data/clean`` and ``data/hand``.

    Returns
    -------
    list of dict
        For each raw row behind it: strike_id, source, raw_id, row, file, sha256, url.

    Raises
    ------
    InputError
        If no table holds the strike.
    """
    rows: list[dict[str, str]] = []
    trace, coded = clean / "trace.csv", hand / "strikes.csv"
    if trace.is_file():
        rows = [row for row in _read(trace) if row["strike_id"] == strike_id]
    if not rows and coded.is_file():
        for number, row in enumerate(_read(coded), 1):
            if row["strike_id"] == strike_id:
                rows = [{"strike_id": strike_id, "source": row["source_publisher"], "raw_id": strike_id, "row": str(number),
                         "file": coded.name, "sha256": file_sha256(coded), "url": row["source_url"]}]  # fmt: skip
    if not rows:
        raise InputError("no such strike", file=f"{trace}, {coded}", column="strike_id", value=strike_id)
    return rows


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
