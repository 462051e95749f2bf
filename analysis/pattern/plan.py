"""The plan: every choice an analyst may make, as data."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from .errors import InputError

DECAYS = ("gaussian", "exponential", "disc", "inverse")
ONE_OF = {
    "primary.decay": DECAYS,
    "primary.alternative": ("closer", "farther", "two-sided"),
    "primary.units": ("attack", "strike"),
    "own_data.decimal": (".", ","),
}
AT_LEAST = {
    "seed": 0, "n_simulations": 199, "clean.cluster_days": 0, "strikes.weight_cap": 1, "secondary.curve_n_simulations": 99,
    "timing.series_days": 1, "timing.event_days": 1, "checks.placebo_draws": 19,
}  # fmt: skip
NOT_EMPTY = {"secondary.radii_m": "radius", "sites.enters_through": "way", "own_data.date_formats": "format"}
ABOVE_ZERO = (
    "cell_m", "clean.cluster_distance_m", "clean.area_above_m", "clean.near_m", "strikes.located_max_m", "sites.max_uncertainty_m",
    "held_out.match_distance_m", "primary.scale_m", "primary.bandwidth_m", "secondary.radii_m", "secondary.bandwidths_m",
    "secondary.donut_radius_m", "secondary.donut_bandwidth_m", "secondary.curve_max_m", "secondary.curve_step_m", "timing.min_days",
    "timing.distances_m", "timing.intervals_days", "verdict.ratio_radius_m", "verdict.no_excess_below", "checks.scales_m",
    "checks.window_m", "checks.surface_spacing_m", "checks.aim_scale_m", "checks.errors_m", "checks.coarse_m", "checks.cluster_m",
    "checks.reporting_ratio",
)  # fmt: skip


@dataclass(frozen=True)
class StrikeRules:
    """Which strikes enter, and how located ones are weighted."""

    located_max_m: float
    period_starts: tuple[str, ...]
    weight_cap: float


@dataclass(frozen=True)
class SiteRules:
    """Which sites are tested."""

    include_party_to_conflict: bool
    enters_through: tuple[str, ...]
    max_uncertainty_m: float
    collapse_to_buildings: bool


@dataclass(frozen=True)
class HeldOutRules:
    """Which strikes prompted the study."""

    match_distance_m: float


@dataclass(frozen=True)
class CleanRules:
    """How reports of public sources become strikes."""

    period_from: str
    period_to: str
    cluster_distance_m: float
    cluster_days: int
    area_above_m: float
    near_m: float


@dataclass(frozen=True)
class OwnDataRules:
    """How a user's own files are to be read: their names for our columns, their dates, encoding and decimal sign."""

    strikes: dict[str, str]
    sites: dict[str, str]
    date_formats: tuple[str, ...]
    encoding: str
    decimal: str


@dataclass(frozen=True)
class PrimaryTest:
    """The one test that carries the conclusion."""

    decay: str
    scale_m: float
    bandwidth_m: float
    alternative: str
    level: float
    units: str
    keep_area_counts: bool


@dataclass(frozen=True)
class SecondaryTests:
    """What is shown beside it."""

    radii_m: tuple[float, ...]
    bandwidths_m: tuple[float, ...]
    donut_radius_m: float
    donut_bandwidth_m: float
    donut_max_window_share: float
    donut_max_strike_share: float
    donut_max_extrapolation_m: float
    curve_max_m: float
    curve_step_m: float
    curve_n_simulations: int


@dataclass(frozen=True)
class TimingRules:
    """What is asked about time."""

    notified: dict[str, str]
    min_days: float
    series_days: int
    event_days: int
    distances_m: tuple[float, ...]
    intervals_days: tuple[float, ...]


@dataclass(frozen=True)
class VerdictRules:
    """When the verdict is excess, no excess or not informative."""

    ratio_radius_m: float
    min_effective_n: float
    no_excess_below: float
    power: float


@dataclass(frozen=True)
class CheckRules:
    """What the checks vary, and how far."""

    decays: tuple[str, ...]
    scales_m: tuple[float, ...]
    window_m: float
    surface_spacing_m: float
    aim_scale_m: float
    errors_m: tuple[float, ...]
    coarse_m: tuple[float, ...]
    cluster_m: tuple[float, ...]
    placebo_draws: int
    min_strikes: int
    reporting_ratio: float


@dataclass(frozen=True)
class Plan:
    """Hold the choices of one study. Read from TOML by ``analysis.sources.read_plan``."""

    name: str
    site_word: str
    seed: int
    n_simulations: int
    cell_m: float
    clean: CleanRules
    own_data: OwnDataRules
    strikes: StrikeRules
    sites: SiteRules
    held_out: HeldOutRules
    primary: PrimaryTest
    secondary: SecondaryTests
    timing: TimingRules
    verdict: VerdictRules
    checks: CheckRules

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Plan:
        """Build a plan from nested tables, refusing whatever it does not know.

        Raises
        ------
        InputError
            For an unknown or missing key, a value of the wrong type, or one out of range.
        """
        plan: Plan = _build(cls, values, "")
        plan._check()
        return plan

    def to_dict(self) -> dict[str, Any]:
        """Give the plan as nested tables."""
        return dataclasses.asdict(self)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's values, the same however the file is laid out."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def quick(self) -> Plan:
        """Give the same plan for a first look: at most 999 draws, cells of 100 m or more, the primary decay in all specifications.

        The curve along the radius has at most 499 draws then, and placebo sites at most 199.
        """
        curve = dataclasses.replace(self.secondary, curve_n_simulations=min(self.secondary.curve_n_simulations, 499))
        checks = dataclasses.replace(
            self.checks, placebo_draws=min(self.checks.placebo_draws, 199), decays=(self.primary.decay,), scales_m=(self.primary.scale_m,)
        )
        fewer, coarse = min(self.n_simulations, 999), max(self.cell_m, 100.0)
        return dataclasses.replace(self, n_simulations=fewer, cell_m=coarse, secondary=curve, checks=checks)

    def _check(self) -> None:
        def require(key: str, holds: bool, rule: str) -> None:
            if not holds:
                raise InputError(rule, column=key, value=_get(self, key))

        for key, choices in ONE_OF.items():
            require(key, _get(self, key) in choices, f"must be {', '.join(choices[:-1])} or {choices[-1]}")
        for key, least in AT_LEAST.items():
            require(key, _get(self, key) >= least, f"must be at least {least}")
        for key, what in NOT_EMPTY.items():
            require(key, len(_get(self, key)) > 0, f"must name at least one {what}")
        for key in ABOVE_ZERO:
            parts = _get(self, key)
            holds = all(0 < part < float("inf") for part in (parts if isinstance(parts, tuple) else (parts,)))
            require(key, holds, "must be a finite number above zero")
        for key in ("timing.distances_m", "timing.intervals_days"):
            edges = _get(self, key)
            require(key, len(edges) > 0 and all(a < b for a, b in itertools.pairwise(edges)), "must be increasing")
        require("primary.level", 0 < self.primary.level < 0.5, "must lie between 0 and 0.5")
        require("verdict.power", 0 < self.verdict.power < 1, "must lie between 0 and 1")
        curve = self.secondary
        require("secondary.curve_max_m", curve.curve_max_m >= 2 * curve.curve_step_m, "must hold at least two steps of the curve")
        require("checks.decays", set(self.checks.decays) <= set(DECAYS), f"must be of {', '.join(DECAYS)}")
        days = (self.clean.period_from, self.clean.period_to)
        for key, day in [*(("strikes.period_starts", d) for d in self.strikes.period_starts), *(("clean.period", d) for d in days)]:
            if not _is_date(day):
                raise InputError("must be dates like 2024-12-31", column=key, value=day)
        if days[0] > days[1]:
            raise InputError("must not end before it begins", column="clean.period", value=" to ".join(days))


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text  # other ways to write a day do not sort as text
    except ValueError:
        return False


def _get(plan: Plan, key: str) -> Any:
    value: Any = plan
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _build(kind: Any, values: Any, path: str) -> Any:
    if not isinstance(values, Mapping):
        raise InputError("must be a table", column=path, value=values)
    hints = get_type_hints(kind)
    for key in values:
        if key not in hints:
            raise InputError("unknown key in the plan", column=f"{path}{key}")
    for key in hints:
        if key not in values:
            raise InputError("missing key in the plan", column=f"{path}{key}")
    return kind(**{key: _convert(hint, values[key], f"{path}{key}") for key, hint in hints.items()})


def _convert(hint: Any, value: Any, key: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, f"{key}.")
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise InputError("must be a list", column=key, value=value)
        return tuple(_convert(get_args(hint)[0], part, key) for part in value)
    if get_origin(hint) is dict:
        if not isinstance(value, Mapping) or not all(isinstance(part, str) for part in value.values()):
            raise InputError("must be a table of text", column=key, value=value)
        return dict(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise InputError(f"must be of type {hint.__name__}", column=key, value=value)
    return value
