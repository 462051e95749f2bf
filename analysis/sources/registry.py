"""The registry: every public source the project can read, and on what terms."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from ..pattern import InputError
from .readers import SITE_READERS, STRIKE_READERS

TABLES = ("attack_counts", "alerts", "companion", "polygons")  # read by name, or beside another file
UNPINNED = "unpinned"


@dataclass(frozen=True)
class Source:
    """Describe one file of a source.

    Attributes
    ----------
    id, title, publisher, citation, precision : str
    url : str
        Empty where the user supplies the file.
    file : str
        Its path under ``data/raw``, and under a mirror.
    licence : str
    redistributable : bool
    sha256 : str
        64 hexadecimal digits, or ``unpinned``.
    reader : str
        A key of the readers, or what else it is read as.
    last_date : str
        When the file was last added to (ISO), or empty: a later date in it is a slip.
    """

    id: str
    title: str
    publisher: str
    url: str
    file: str
    licence: str
    redistributable: bool
    citation: str
    sha256: str
    reader: str
    precision: str
    last_date: str = ""


def read_registry(path: Path) -> dict[str, Source]:
    """Read and check ``data/sources.toml``.

    Raises
    ------
    InputError
        For a missing file, an unknown or missing key, a value of the wrong type, a sum that is none, a reader that does not exist, a
        file that leads out of the folder, or two sources with one file.
    """
    if not path.is_file():
        raise InputError("the file does not exist", file=path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"must be a TOML file ({error})", file=path.name) from None
    result: dict[str, Source] = {}
    for name, values in tables.items():
        result[name] = _source(name, values, path.name)
    files = [source.file for source in result.values()]
    for file in files:
        if files.count(file) > 1:
            raise InputError("two sources have this file", file=path.name, value=file)
    return result


def _source(name: str, values: object, file: str) -> Source:
    if not isinstance(values, dict):
        raise InputError("must be a table", file=file, column=name)
    known = {field.name: field for field in fields(Source) if field.name != "id"}
    for key in values:
        if key not in known:
            raise InputError("unknown key", file=file, column=f"{name}.{key}")
    for key in known:
        if key not in values and key != "last_date":
            raise InputError("missing key", file=file, column=f"{name}.{key}")
    for key, value in values.items():
        if not isinstance(value, bool if key == "redistributable" else str):
            raise InputError(
                "must be true or false" if key == "redistributable" else "must be text", file=file, column=f"{name}.{key}", value=value
            )
    source = Source(name, **values)
    rules = (
        ("sha256", source.sha256 == UNPINNED or re.fullmatch(r"[0-9a-f]{64}", source.sha256), "must be 64 hexadecimal digits, or unpinned"),
        ("reader", source.reader in (*STRIKE_READERS, *SITE_READERS, *TABLES), "no such reader"),
        ("url", not source.url or source.url.startswith("https://"), "must begin with https://"),
        (
            "file",
            not source.file.startswith("/") and ".." not in source.file.split("/") and source.file,
            "must be a path inside the folder",
        ),
        ("last_date", not source.last_date or _is_date(source.last_date), "must be a date like 2024-12-31"),
    )
    for key, holds, rule in rules:
        if not holds:
            raise InputError(rule, file=file, column=f"{name}.{key}", value=getattr(source, key))
    return source


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
