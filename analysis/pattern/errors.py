"""The one error that bad input raises: a single line that says where, what and which rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike


class InputError(ValueError):
    """Report input that cannot be used.

    Parameters
    ----------
    rule : str
        What the input must satisfy.
    file, row, column, value : optional
        Where the fault stands. ``row`` counts from 1 at the first line under the header.

    Examples
    --------
    >>> str(InputError("must be a number", file="a.csv", row=3, column="latitude", value="x"))
    "a.csv, row 3, column latitude, value 'x': must be a number"
    """

    def __init__(self, rule: str, *, file: object = None, row: object = None, column: object = None, value: object = None) -> None:
        self.rule, self.file, self.row, self.column, self.value = rule, file, row, column, value
        where = [
            str(file) if file is not None else "",
            f"row {row}" if row is not None else "",
            f"column {column}" if column is not None else "",
            f"value {str(value)[:80]!r}" if value is not None else "",
        ]
        place = ", ".join(part for part in where if part)
        line = f"{place}: {rule}" if place else rule
        super().__init__(" ".join(line.split()))


def refuse_rows(wrong: ArrayLike, rule: str, *, column: str | None = None, values: Any = None) -> None:
    """Raise the rule for the first row that breaks it, if there is one, with its entry of ``values``."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        raise InputError(rule, row=int(rows[0]) + 1, column=column, value=None if values is None else values[rows[0]])


def refuse_few(n_simulations: int, least: int = 19) -> None:
    """Raise where there are fewer draws than ``least``: with 19 no p-value falls below 0.05."""
    if n_simulations < least:
        raise InputError(f"must be at least {least}", column="n_simulations", value=n_simulations)


class AnalysisWarning(UserWarning):
    """Warn that a number rests on something the input breaks: a test out of calibration, an optimum at its limit."""
