"""Read the plan from its TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from ..pattern import InputError, Plan


def read_plan(path: Path) -> Plan:
    """Read ``plan.toml``.

    Raises
    ------
    InputError
        If the file is missing, is not TOML, or holds an unknown key or a wrong value: file and key are named.
    """
    if not path.is_file():
        raise InputError("the file does not exist", file=path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"must be a TOML file ({error})", file=path.name) from None
    try:
        return Plan.from_dict(values)
    except InputError as error:
        raise InputError(error.rule, file=path.name, column=error.column, value=error.value) from None
