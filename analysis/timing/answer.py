"""What a question about time is answered with: a ratio with its interval and p, or the reason why these data give none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..inference import format_p, to_json
from ..pattern import InputError

Days = NDArray[np.datetime64]
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class NotIdentifiable:
    """Say that these data cannot answer a question, and why. It is a result, not an error: the report prints it."""

    name: str
    reason: str
    identifiable: bool = field(default=False, init=False)

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        return f"{self.name}: not identifiable, because {self.reason}."


@dataclass(frozen=True)
class Ratio:
    """Hold a ratio of rates, or a ratio of such ratios.

    Attributes
    ----------
    ratio, interval, level
        The estimate (NaN where nothing happened on either side) and its interval.
    p_value : float
        Of the ratio being 1, two-sided.
    n : int
        What was counted.
    method : str
        Where interval and p come from; other numbers of the same fit are ``beside`` it.
    """

    name: str
    ratio: float
    interval: tuple[float, float]
    level: float
    p_value: float
    n: int
    method: str
    beside: dict[str, float] = field(default_factory=dict)
    identifiable: bool = field(default=True, init=False)

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        reach = f"{self.level:.0%} interval {self.interval[0]:.3g} to {self.interval[1]:.3g}"
        return f"{self.name}: {self.ratio:.3g}, {reach}, p = {format_p(self.p_value)} (two-sided; {self.method}; n = {self.n})."


Answer = Ratio | NotIdentifiable


def as_days(values: Any, column: str) -> Days:
    """Read dates as whole days; a value that is no date, a number among them, is an InputError."""
    given = pd.Series(values if np.ndim(values) else [values]).infer_objects()
    found = pd.to_datetime(given, errors="coerce")
    bad = np.flatnonzero(found.isna() | pd.api.types.is_numeric_dtype(given))
    if len(bad):
        row = int(bad[0])
        raise InputError("must be a date", row=row + 1, column=column, value=given.iloc[row])
    return found.to_numpy().astype("datetime64[D]")


def in_period(dates: Any, start: Any, end: Any) -> tuple[Days, np.datetime64, np.datetime64]:
    """Read dates and the period they must lie in, first and last day included; a reversed period is an InputError."""
    first, last = as_days([start, end], "start, end")
    if first > last:
        raise InputError("a period must not end before it begins", column="end", value=f"{first} to {last}")
    found = as_days(dates, "date") if len(dates) else np.empty(0, "datetime64[D]")
    outside = np.flatnonzero((found < first) | (found > last))
    if len(outside):
        raise InputError(f"must lie in the period {first} to {last}", row=int(outside[0]) + 1, column="date", value=found[outside[0]])
    return found, first, last
