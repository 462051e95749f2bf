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
    """Hold the choices of one study. Read from TOML by ``analysis.sources.read_plan``.

    Raises
    ------
    InputError
        From :meth:`from_dict`: an unknown or missing key, a value of the wrong type, or one out of range.
    """

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
        """Build a plan from nested tables, refusing whatever it does not know."""
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
        """Give the same plan with at most 999 draws, cells of 100 m or more, the primary decay in all specifications."""
        curve = dataclasses.replace(self.secondary, curve_n_simulations=min(self.secondary.curve_n_simulations, 499))
        checks = dataclasses.replace(
            self.checks, placebo_draws=min(self.checks.placebo_draws, 199), decays=(self.primary.decay,), scales_m=(self.primary.scale_m,)
        )
        fewer, coarse = min(self.n_simulations, 999), max(self.cell_m, 100.0)
        return dataclasses.replace(self, n_simulations=fewer, cell_m=coarse, secondary=curve, checks=checks)

    def _check(self) -> None:
        rules = (
            ("n_simulations", self.n_simulations >= 199, "must be at least 199"),
            ("seed", self.seed >= 0, "must not be negative"),
            ("primary.decay", self.primary.decay in ("gaussian", "exponential", "disc", "inverse"),
             "must be gaussian, exponential, disc or inverse"),
            ("primary.alternative", self.primary.alternative in ("closer", "farther", "two-sided"),
             "must be closer, farther or two-sided"),
            ("primary.units", self.primary.units in ("attack", "strike"), "must be attack or strike"),
            ("primary.level", 0 < self.primary.level < 0.5, "must lie between 0 and 0.5"),
            ("secondary.curve_n_simulations", self.secondary.curve_n_simulations >= 99, "must be at least 99"),
            ("secondary.radii_m", len(self.secondary.radii_m) > 0, "must name at least one radius"),
            ("sites.enters_through", len(self.sites.enters_through) > 0, "must name at least one way"),
            ("secondary.curve_max_m", self.secondary.curve_max_m >= 2 * self.secondary.curve_step_m,
             "must hold at least two steps of the curve"),
            ("strikes.weight_cap", self.strikes.weight_cap >= 1, "must be at least 1"),
            ("verdict.power", 0 < self.verdict.power < 1, "must lie between 0 and 1"),
            ("checks.decays", set(self.checks.decays) <= {"gaussian", "exponential", "disc", "inverse"},
             "must be of gaussian, exponential, disc, inverse"),
            ("checks.placebo_draws", self.checks.placebo_draws >= 19, "must be at least 19"),
            ("timing.series_days", self.timing.series_days >= 1, "must be at least 1"),
            ("timing.event_days", self.timing.event_days >= 1, "must be at least 1"),
            *((f"timing.{key}", len(edges) > 0 and all(a < b for a, b in itertools.pairwise(edges)), "must be increasing")
              for key, edges in (("distances_m", self.timing.distances_m), ("intervals_days", self.timing.intervals_days))),
            ("clean.cluster_days", self.clean.cluster_days >= 0, "must not be negative"),
            ("own_data.decimal", self.own_data.decimal in (".", ","), "must be . or ,"),
            ("own_data.date_formats", len(self.own_data.date_formats) > 0, "must name at least one format"),
        )  # fmt: skip
        for key, holds, rule in rules:
            if not holds:
                raise InputError(rule, column=key, value=_get(self, key))
        for key in ("cell_m", "clean.cluster_distance_m", "clean.area_above_m", "clean.near_m", "strikes.located_max_m",
                    "sites.max_uncertainty_m", "held_out.match_distance_m",
                    "primary.scale_m", "primary.bandwidth_m", "secondary.radii_m", "secondary.bandwidths_m",
                    "secondary.donut_radius_m", "secondary.donut_bandwidth_m", "secondary.curve_step_m",
                    "timing.min_days", "timing.distances_m", "timing.intervals_days",
                    "verdict.ratio_radius_m", "verdict.no_excess_below", "checks.scales_m", "checks.window_m",
                    "checks.surface_spacing_m", "checks.aim_scale_m", "checks.errors_m", "checks.coarse_m", "checks.cluster_m",
                    "checks.reporting_ratio"):  # fmt: skip
            value = _get(self, key)
            if not all(0 < part < float("inf") for part in (value if isinstance(value, tuple) else (value,))):
                raise InputError("must be a finite number above zero", column=key, value=value)
        days = (self.clean.period_from, self.clean.period_to)
        for key, day in [*(("strikes.period_starts", d) for d in self.strikes.period_starts), *(("clean.period", d) for d in days)]:
            try:
                dt.date.fromisoformat(day)
            except ValueError:
                raise InputError("must be dates like 2024-12-31", column=key, value=day) from None
        if days[0] > days[1]:
            raise InputError("must not end before it begins", column="clean.period", value=" to ".join(days))


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
