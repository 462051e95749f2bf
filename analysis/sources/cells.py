"""Text cells: a table of text from a file, and its columns made into dates and numbers, each row that fails with its reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from ..pattern import InputError
from .raw import RAW_COLUMNS, REJECTED_COLUMNS, SITE_COLUMNS, RawTable, file_sha256

Rule = tuple[str, pd.Series, str]  # column, true where it fails, reason
WEAPON_CLASSES = ("drone", "cruise", "ballistic", "hypersonic", "artillery_mlrs", "unknown")


def read_text(path: Path, encoding: str) -> str:
    """Read a text file, without its byte order mark.

    Raises
    ------
    InputError
        If the file is missing, empty, or not in the encoding.
    """
    if not path.is_file():
        raise InputError("the file does not exist", file=path)
    return decode(path.read_bytes(), path.name, encoding)


def decode(content: bytes, name: str, encoding: str) -> str:
    """Turn bytes into text, as :func:`read_text` does."""
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"is not {encoding} text (byte {error.start}); name its encoding", file=name) from None
    if not text.strip():
        raise InputError("the file is empty", file=name)
    if "\0" in text[:1000]:
        raise InputError("is not a text file", file=name)
    return text


def read_cells(text: str, name: str, columns: Sequence[str], *, separator: str = ",") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read CSV text as cells of text.

    Parameters
    ----------
    text, name : str
        Content, and the file's name for messages.
    columns : names
        That must be there; others are kept too.
    separator : str

    Returns
    -------
    cells : DataFrame of str
        Indexed by row number, from 1 under the header; stripped, empty where the file has nothing.
    broken : DataFrame
        Rows with too many or too few cells: index as above, one column ``reason``.

    Raises
    ------
    InputError
        If a column is missing or repeated, or a quotation is never closed.

    Notes
    -----
    Linear in the size of the file. Empty lines are no rows.
    """
    try:
        header = next(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise InputError(f"must be a CSV file ({error})", file=name) from None
    if any("\n" in column or "\r" in column for column in header):
        raise InputError("a name of a column has two lines", file=name)
    names = [name.strip() for name in header]
    for column in columns:
        if names.count(column) != 1:
            raise InputError("must have this column once", file=name, column=column, value=separator.join(names)[:60])
    content = (text if text.endswith("\n") else text + "\n").encode()
    plain = [str(k) for k in range(len(names))]
    broken: dict[int, str] = {}
    last = ""

    def note(row: Any) -> str:
        nonlocal last
        last = row.text
        broken[row.number - 1] = "has too few cells" if row.actual_columns < row.expected_columns else "has too many cells"
        return "skip"

    try:
        table = pa_csv.read_csv(
            pa.BufferReader(content),
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=len(content) + 1, column_names=plain, skip_rows=1),
            parse_options=pa_csv.ParseOptions(delimiter=separator, invalid_row_handler=note, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(plain, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise InputError(f"must be a CSV file ({error})", file=name) from None
    cells = table.to_pandas().set_axis(names, axis=1)
    ends = [last, *([] if cells.empty else cells.iloc[-1])]
    if content.count(b'"') % 2 and (last.count('"') % 2 or any("\n" in end for end in ends)):
        raise InputError("a quotation is never closed", file=name)
    rows = np.setdiff1d(np.arange(1, len(cells) + len(broken) + 1), list(broken))
    cells.index = pd.Index(rows)
    reasons = pd.DataFrame({"reason": list(broken.values())}, index=pd.Index(list(broken), dtype=int))
    return cells.apply(lambda column: column.str.strip()), reasons


def parse_dates(text: pd.Series, formats: Sequence[str]) -> pd.Series:
    """Turn text into days; what fits none of the formats, taken in their order, becomes NaT."""
    values = pd.Series(pd.NaT, index=pd.Index(text.unique()), dtype="datetime64[ns]")
    for layout in formats:
        left = values.index[values.isna()]
        parsed = pd.to_datetime(pd.Series(left, index=left), format=layout, errors="coerce", exact=True)
        # years beyond the range of datetime64[ns] come back in a coarser unit
        values[left] = parsed.where((parsed.dt.year > 1700) & (parsed.dt.year < 2250)).dt.normalize().astype("datetime64[ns]")
    return pd.Series(values.reindex(text).to_numpy(), index=text.index)


def parse_numbers(text: pd.Series, *, decimal: str = ".") -> pd.Series:
    """Turn text into finite numbers; what is none becomes NaN."""
    plain = text.str.replace(",", ".", regex=False) if decimal == "," else text
    values = pd.to_numeric(plain, errors="coerce").astype(float)
    return values.where(np.isfinite(values))


def position_rules(text: pd.DataFrame, longitude: pd.Series, latitude: pd.Series, optional: pd.Series) -> list[Rule]:
    """Give the rules of a position in degrees; where ``optional`` is true both coordinates may be empty."""
    rules: list[Rule] = []
    empty = (text["longitude"] == "") & (text["latitude"] == "")
    for column, value, limit in (("longitude", longitude, 180), ("latitude", latitude, 90)):
        cell = text[column]
        comma = cell.str.fullmatch(r"[+-]?\d+,\d+")
        rules += [
            (column, empty & ~optional if column == "longitude" else pd.Series(False, index=cell.index), "has no position"),
            (column, (cell == "") & ~empty, "one of two coordinates is missing"),
            (column, comma & value.isna(), "has a decimal comma; declare it"),
            (column, value.isna() & (cell != "") & ~comma, "is not a number"),
            (column, value.abs() > limit, f"must lie between -{limit} and {limit} degrees"),
        ]
    rules.append(("longitude", (longitude == 0) & (latitude == 0), "is (0, 0), which stands for a missing position"))
    return rules


def date_rules(text: pd.Series, date: pd.Series, formats: Sequence[str]) -> list[Rule]:
    """Give the rules of a date."""
    return [("date", text == "", "has no date"), ("date", date.isna() & (text != ""), f"is not a date like {' or '.join(formats)}")]


def strikes_table(
    path: Path,
    source: str,
    cells: pd.DataFrame,
    broken: pd.DataFrame,
    *,
    raw_id: pd.Series | None,
    date: pd.Series,
    formats: Sequence[str],
    longitude: pd.Series,
    latitude: pd.Series,
    uncertainty_m: pd.Series | float,
    area: pd.Series | str = "",
    kind: pd.Series | str = "strike",
    weapon_class: pd.Series | str = "unknown",
    place: pd.Series | str = "",
    url: pd.Series | str = "",
    decimal: str = ".",
    rules: Callable[[pd.DataFrame], list[Rule]] = lambda frame: [],
) -> RawTable:
    """Bring the cells of a file of strikes into ``RAW_COLUMNS``, and reject with a reason what cannot be.

    Parameters
    ----------
    path, source
        The file, and its id in the registry.
    cells, broken
        From :func:`read_cells`. The other columns are aligned with ``cells``.
    raw_id, date, longitude, latitude : Series of str
    formats : date formats, in the order in which they are tried
    uncertainty_m : Series of float or float
    rules : callable
        Further rules, given the frame.
    """
    text = pd.DataFrame({"longitude": longitude, "latitude": latitude, "date": date})
    day, e, n = parse_dates(date, formats), parse_numbers(longitude, decimal=decimal), parse_numbers(latitude, decimal=decimal)
    number = pd.Series(cells.index, index=cells.index)
    frame = pd.DataFrame(
        {
            "source": source, "raw_id": number.astype(str) if raw_id is None else raw_id, "row": number, "date": day,
            "longitude": e, "latitude": n, "uncertainty_m": uncertainty_m, "area": area, "kind": kind,
            "weapon_class": weapon_class, "place": place, "url": url,
        },
        index=cells.index,
    )  # fmt: skip
    unplaced = frame["longitude"].isna() & frame["latitude"].isna()
    frame["uncertainty_m"] = frame["uncertainty_m"].where(~unplaced)
    checks = date_rules(date, day, formats) + position_rules(text, e, n, frame["area"] != "") + rules(frame)
    return _split(path, source, frame[list(RAW_COLUMNS)], {**cells, **text}, broken, checks)


def sites_table(path: Path, source: str, cells: pd.DataFrame, broken: pd.DataFrame, *, decimal: str = ".", **columns: Any) -> RawTable:
    """Bring the cells of a file of sites into ``SITE_COLUMNS``; as :func:`strikes_table`."""
    text = pd.DataFrame({"longitude": columns["longitude"], "latitude": columns["latitude"]})
    numbers = {name: parse_numbers(text[name], decimal=decimal) for name in ("longitude", "latitude")}
    frame = pd.DataFrame({"source": source, **columns, **numbers, "row": cells.index}, index=cells.index)
    checks = position_rules(text, numbers["longitude"], numbers["latitude"], pd.Series(False, index=cells.index))
    return _split(path, source, frame[list(SITE_COLUMNS)], {**cells, **text}, broken, checks)


def _split(path: Path, source: str, frame: pd.DataFrame, text: dict[Any, pd.Series], broken: pd.DataFrame, checks: list[Rule]) -> RawTable:
    """Keep the rows that break no rule; a rejected row names the first rule it breaks."""
    left = pd.Series(True, index=frame.index)
    parts = [pd.DataFrame({"source": source, "raw_id": broken.index.astype(str), "row": broken.index, "step": "parsed",
                           "column": "", "value": "", "reason": broken["reason"].to_numpy()})]  # fmt: skip
    for column, fails, reason in checks:
        out = left & fails.fillna(False)
        if out.any():
            shown = text.get(column, frame["raw_id"]).astype(str)
            parts.append(pd.DataFrame({"source": source, "raw_id": frame["raw_id"][out], "row": frame["row"][out], "step": "parsed",
                                       "column": column, "value": shown[out].str[:80], "reason": reason}))  # fmt: skip
            left &= ~out
    rejected = pd.concat(parts, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)
    return RawTable(source, path.name, file_sha256(path), frame[left].reset_index(drop=True), rejected[list(REJECTED_COLUMNS)],
                    len(frame) + len(broken))  # fmt: skip
