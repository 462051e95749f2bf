"""What tests return: frozen, one field one meaning, printable as a sentence, safe as JSON."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DIGITS = 10  # significant digits kept in JSON: beyond these the order of a sum shows, and files would differ for no reason


def to_json(value: Any) -> Any:
    """Turn a result into JSON-safe values: no NaN (null instead), no arrays, ten significant digits."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [to_json(part) for part in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        return None if math.isnan(value) else float(f"{value:.{DIGITS}g}")
    if value is None or isinstance(value, str):
        return value
    return str(value)


def _table(rows: list[tuple[str, str]], sentence: str) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join([*(f"{name:<{width}}  {text}" for name, text in rows), sentence])


def format_p(p: float) -> str:
    """Write a p-value with three significant digits, so that it is not rounded onto a level; never as zero."""
    return f"{p:.3g}" if p >= 0.001 else f"{p:.1e}"


@dataclass(frozen=True, eq=False)
class TestResult:
    """Hold the outcome of one test.

    Attributes
    ----------
    name : str
    statistic : float
    p_value : float
        In (0, 1].
    alternative : str
        closer, farther, greater, less or two-sided.
    null : str
        What was simulated or assumed.
    n : int
        Strikes that entered.
    n_simulations : int
        0 for an analytic p-value.
    seed : str
        Entropy of the replicates; empty for an analytic p-value.
    simulated : (n_simulations,) array
        The statistic in each replicate.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    name: str
    statistic: float
    p_value: float
    alternative: str
    null: str
    n: int
    n_simulations: int = 0
    seed: str = ""
    simulated: Array = dataclasses.field(default_factory=lambda: np.empty(0), repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        rows = [
            ("test", self.name),
            ("statistic", f"{self.statistic:.4g}"),
            ("p-value", f"{format_p(self.p_value)} ({self.alternative})"),
            ("null", self.null),
            ("strikes", str(self.n)),
            ("simulations", f"{self.n_simulations} (seed {self.seed})" if self.n_simulations else "none: analytic"),
        ]
        said = f"If the null were true, a statistic at least this extreme would come up with probability {format_p(self.p_value)}."
        return _table(rows, said)


@dataclass(frozen=True, eq=False)
class CountResult:
    """Hold an observed count beside the expected one.

    Attributes
    ----------
    radius : float
    observed, expected, ratio : float
        ``ratio`` is observed / expected.
    interval : (float, float)
        For the ratio, at ``level``.
    level : float
    p_value : float
        Two-sided, from the same distribution as the interval: below 1 − level exactly when the interval leaves out 1.
    """

    radius: float
    observed: float
    expected: float
    ratio: float
    interval: tuple[float, float]
    level: float
    p_value: float

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        low, high = self.interval
        rows = [
            ("within", f"{self.radius:g}"),
            ("observed", f"{self.observed:g}"),
            ("expected", f"{self.expected:.4g}"),
            ("ratio", f"{self.ratio:.3g}, {self.level:.0%} interval {low:.3g} to {high:.3g}"),
            ("p-value", f"{format_p(self.p_value)} (two-sided)"),
        ]
        return _table(rows, f"{self.ratio:.3g} times the expected number, with the baseline taken as known.")


@dataclass(frozen=True, eq=False)
class CurveResult:
    """Hold a curve over distance with its global band.

    Attributes
    ----------
    name : str
    distance, observed, central, lower, upper : (r,) arrays
        ``lower`` and ``upper`` bound a global envelope: under the null the whole curve stays inside with probability ``level``.
    level : float
    measure : str
        How curves were ordered.
    p_value : float
    null : str
    n_simulations : int
    seed : str
    """

    name: str
    distance: Array
    observed: Array
    central: Array
    lower: Array
    upper: Array
    level: float
    measure: str
    p_value: float
    null: str
    n_simulations: int
    seed: str

    @property
    def outside(self) -> Array:
        """The distances at which the observed curve leaves the band."""
        return self.distance[(self.observed < self.lower) | (self.observed > self.upper)]

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        rows = [
            ("curve", self.name),
            ("p-value", f"{format_p(self.p_value)} ({self.measure})"),
            ("null", self.null),
            ("simulations", f"{self.n_simulations} (seed {self.seed})"),
        ]
        outside = self.outside
        where = f"from {outside.min():g} to {outside.max():g}" if len(outside) else "nowhere"
        return _table(rows, f"The observed curve leaves the {self.level:.0%} global envelope {where}.")
