"""Read coded tables: text in, checked types out, one clear line when something is wrong."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pandera.errors
import pandera.pandas as pa

from ..pattern import InputError


def read_table(path: Path, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a UTF-8 CSV file and validate it.

    Parameters
    ----------
    path : Path
    schema : pandera DataFrameSchema
        Columns in its order; text columns may be empty where nullable. ``true`` and ``false`` are read as such.

    Raises
    ------
    InputError
        With file, row (from 1, under the header), column, value and rule.
    """
    name = path.name
    if not path.is_file():
        raise InputError("the file does not exist", file=path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.reader(handle, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"must be a UTF-8 CSV file ({error})", file=name) from None
    if not rows:
        raise InputError("the file is empty", file=name)
    header, body = rows[0], rows[1:]
    for column in schema.columns:
        if header.count(column) != 1:
            raise InputError("must have this column once", file=name, column=column)
    for column in header:
        if column not in schema.columns:
            raise InputError("unknown column", file=name, column=column)
    for number, cells in enumerate(body, 1):
        if len(cells) != len(header):
            raise InputError(f"must have {len(header)} cells, has {len(cells)}", file=name, row=number)
    if not body:
        raise InputError("the file has no rows", file=name)
    frame = pd.DataFrame(body, columns=header, dtype=object)[list(schema.columns)]
    frame = frame.map(str.strip).replace("", None).replace({"true": True, "false": False})
    try:
        return schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        raise _first_failure(error, name, frame) from None


def _first_failure(error: pandera.errors.SchemaErrors, name: str, frame: pd.DataFrame) -> InputError:
    cases = error.failure_cases.dropna(subset=["index"])
    if cases.empty:
        case = error.failure_cases.iloc[0]
        return InputError(_rule(str(case["check"])), file=name, column=case["column"], value=case["failure_case"])
    case = cases.sort_values("index", kind="stable").iloc[0]
    row, column = int(case["index"]), str(case["column"])
    value = frame[column][row] if column in frame else case["failure_case"]
    if value is None or value != value:
        value = None  # an empty cell has no value to show
    return InputError(_rule(str(case["check"])), file=name, row=row + 1, column=column, value=value)


def _rule(check: str) -> str:
    if check.startswith(("coerce_dtype", "dtype")):
        kind = "a date like 2024-12-31" if "datetime" in check else "true or false" if "bool" in check else "a number"
        return f"must be {kind}"
    if check == "not_nullable":
        return "must not be empty"
    if check == "field_uniqueness":
        return "must be unique"
    return f"must satisfy {check}"
