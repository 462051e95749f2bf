"""What has a time but no place: attack-level counts of missiles and drones, and air-raid alerts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ...pattern import InputError
from ..cells import parse_numbers, read_cells, read_text


def _times(text: pd.Series) -> pd.Series:
    """Parse times with or without a time of day; what is none becomes NaT."""
    times = pd.to_datetime(text, format="mixed", errors="coerce", utc=True).dt.tz_convert(None)
    # years beyond the range of datetime64[ns] come back in a coarser unit
    return times.where((times.dt.year > 1700) & (times.dt.year < 2250)).astype("datetime64[ns]")


def _checked(frame: pd.DataFrame, path: Path, cells: pd.DataFrame, times: dict[str, str]) -> pd.DataFrame:
    for column, origin in times.items():
        wrong = frame[column].isna()
        if wrong.any():
            row = int(wrong.index[wrong.to_numpy()][0])
            raise InputError("is not a time", file=path.name, row=row, column=origin, value=cells[origin][row])
    return frame.reset_index(drop=True)


def read_attack_counts(path: Path) -> pd.DataFrame:
    """Read the air force's counts: one row for each wave and weapon: start, end (local), model, launched, destroyed, region.

    The data say how many were launched and stopped, at a whole region; they have no place and enter no distance.

    Raises
    ------
    InputError
        If a column is missing or a time cannot be read.
    """
    columns = ("time_start", "time_end", "model", "launched", "destroyed", "target")
    cells, broken = read_cells(read_text(path, "utf-8"), path.name, columns)
    _whole(broken, path)
    frame = pd.DataFrame(
        {"start": _times(cells["time_start"]), "end": _times(cells["time_end"]), "model": cells["model"],
         "launched": parse_numbers(cells["launched"]), "destroyed": parse_numbers(cells["destroyed"]), "region": cells["target"]},
    )  # fmt: skip
    return _checked(frame, path, cells, {"start": "time_start", "end": "time_end"})


def read_alerts(path: Path) -> pd.DataFrame:
    """Read air-raid alerts: oblast, raion, hromada, start, end (UTC).

    Raises
    ------
    InputError
        If a column is missing or a time cannot be read.
    """
    cells, broken = read_cells(read_text(path, "utf-8"), path.name, ("oblast", "raion", "hromada", "started_at", "finished_at"))
    _whole(broken, path)
    frame = cells[["oblast", "raion", "hromada"]].assign(start=_times(cells["started_at"]), end=_times(cells["finished_at"]))
    return _checked(frame, path, cells, {"start": "started_at", "end": "finished_at"})


def _whole(broken: pd.DataFrame, path: Path) -> None:
    if len(broken):
        raise InputError(str(broken["reason"].iloc[0]), file=path.name, row=broken.index[0])
