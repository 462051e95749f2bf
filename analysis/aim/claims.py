"""The claims, one by one: what was claimed, what the data hold, and whether they can be tested at all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..baseline import Kernel, LinearEstimator, Uniform
from ..inference import to_json
from ..null import Rng, seed_sequence
from ..pattern import InputError, Intensity, Plan, Sites, Study
from ..proximity import Decay, Design
from .aim_baselines import AIM_SCALE_M, with_and_without
from .cep import CLASSES, CepPrior, cep_prior
from .explanations import DEBRIS_SCALE_M, ERRORS_M, SCALE_SOURCE, WRONG_ADDRESS_M, Comparison, Likelihoods, Rivals, compare_explanations
from .miss import Aim

Array = NDArray[np.float64]
TERRITORY_M = 50.0  # "on the territory": anywhere this near, since no extent is given
ANGLES = 72  # directions that stand for a claimed distance in a direction not given
CHOICES_M = (100.0, 250.0)  # if only strikes nearer than this would have been claimed
CLAIMED = "as claimed"
UNTESTED = "cannot be tested with these data"
TEXT = ("claim_id", "place", "weapon_claimed", "distance_basis", "claimed_effect", "claimed_by", "source", "conflicting_reports")


@dataclass(frozen=True, eq=False)
class Explanations:
    """Hold the claims with verdict and reasons, and the comparisons behind them: ``claim``, ``basis`` and a :class:`Comparison`.

    ``aim_baselines`` is the primary test with and without aim points in the baseline; ``focus`` the mission most claims are about;
    ``damage`` what the list of damaged missions holds, which was selected on the outcome and enters no number.
    """

    claims: list[dict[str, Any]] = field(default_factory=list)
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    aim_baselines: list[dict[str, Any]] = field(default_factory=list)
    damage: dict[str, Any] = field(default_factory=dict)
    focus: str = ""
    rules: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))


@dataclass(frozen=True, eq=False)
class Scene:
    """Hold one mission and what stands around it."""

    study: Study
    plan: Plan
    baseline: Intensity
    row: int

    @property
    def only(self) -> Sites:
        """Give the site alone."""
        return self.study.sites.subset(np.arange(self.study.sites.n) == self.row)

    @property
    def site(self) -> Aim:
        """Give the site as a place aimed at."""
        sites, marks = self.study.sites, self.study.sites.marks
        error = 0.0 if marks is None or "uncertainty_m" not in marks else float(marks["uncertainty_m"].iloc[self.row])
        return Aim("the mission", float(sites.easting[self.row]), float(sites.northing[self.row]), 0.0, error)

    @property
    def reach(self) -> float:
        """Give the distance within which a strike may be what a claim is about."""
        return self.plan.held_out.match_distance_m

    def rivals(self, *, exact: bool) -> Rivals:
        """Give the rivals; ``exact``: distances are from the building itself, so that its own error moves to the aim points."""
        site, aims = self.site, []
        table = self.study.aim_points if self.study.aim_points is not None else pd.DataFrame({"easting": [], "northing": []})
        for place in table.to_dict("records"):
            error = float(np.hypot(place.get("uncertainty_m", 0.0), site.error if exact else 0.0))
            aims.append(Aim(str(place["name"]), place["easting"], place["northing"], place.get("radius_m", 0.0), error))
        centre = Aim(site.name, site.easting, site.northing, 0.0, 0.0 if exact else site.error)
        sources = np.array([[site.easting, site.northing], *([a.easting, a.northing] for a in aims)])
        found = Rivals(centre, (), self.baseline, sources)
        return replace(found, aim_points=tuple(aim for aim in aims if found.gap(aim) <= 2 * self.reach))

    @cached_property
    def located(self) -> Likelihoods:
        """Likelihoods for positions in the data."""
        return Likelihoods(self.rivals(exact=False), self.reach)

    @cached_property
    def claimed(self) -> dict[float, Likelihoods]:
        """Likelihoods for distances as claimed, by the radius within which a strike would have been claimed."""
        return {radius: Likelihoods(self.rivals(exact=True), radius) for radius in (*CHOICES_M, self.reach)}

    @cached_property
    def strikes(self) -> pd.DataFrame:
        """Located strikes within reach, held out or not, with their distance."""
        frame = self.study.strikes.frame[self.study.strikes.located(self.plan.strikes.located_max_m)]
        frame = frame.assign(distance_m=np.hypot(frame["easting"] - self.site.easting, frame["northing"] - self.site.northing))
        return frame[frame["distance_m"] <= self.reach].sort_values("distance_m")

    def places(self, distance: float) -> tuple[Array, Array]:
        """Give equally likely places at a distance in an unknown direction; anywhere on the territory for 0. (1, m) each."""
        if distance == 0:
            e, y = Aim("", self.site.easting, self.site.northing, TERRITORY_M).nodes(TERRITORY_M / 8).T
        else:
            angle = 2 * np.pi * np.arange(ANGLES) / ANGLES
            e, y = self.site.easting + distance * np.cos(angle), self.site.northing + distance * np.sin(angle)
        return e[None], y[None]


def scenes(study: Study, plan: Plan, baseline: Intensity) -> dict[str, Scene]:
    """Give a scene for each site of the study that claims are about, the one with most claims first."""
    claims, marks = study.tables.get("claims"), study.sites.marks
    if claims is None or marks is None or "mission_id" not in marks:
        return {}
    ids = list(marks["mission_id"].astype(str))
    return {name: Scene(study, plan, baseline, ids.index(name)) for name in claims["mission_id"].value_counts().index if name in ids}


def explain(study: Study, plan: Plan, design: Design, baseline: Intensity, *, rng: Rng) -> Explanations:
    """Examine every claim, compare what explains the strikes behind it, and run the primary test with aim points in the baseline.

    Empty without the tables ``claims`` and ``weapons``. ``baseline`` is that of the primary test, prompting strikes held out. Cost: some
    ten seconds, half of them two penalised surfaces.
    """
    claims, weapons = study.tables.get("claims"), study.tables.get("weapons")
    if claims is None or weapons is None:
        return Explanations()
    at = scenes(study, plan, baseline)
    rows, found, tests, focus = [], [], [], next(iter(at), "")
    for _, claim in claims.iterrows():
        row, compared = _claim(claim, at.get(str(claim["mission_id"])), study, plan, design, weapons)
        rows.append(row)
        found += compared
    if focus:
        # what the data hold comes first, what rests on the claimant's word last
        found = _together(at[focus], weapons) + sorted(found, key=lambda c: c["basis"] == CLAIMED)
        tests = with_and_without(study, plan, at[focus].only, seed=seed_sequence(rng))
    rules = {"disc_radius_m": plan.held_out.match_distance_m, "territory_m": TERRITORY_M, "debris_m": DEBRIS_SCALE_M,
             "wrong_address_m": WRONG_ADDRESS_M, "aim_scale_m": AIM_SCALE_M, "scale": SCALE_SOURCE}  # fmt: skip
    return Explanations(rows, found, tests, _damage(study, focus), focus, rules)


def _claim(
    claim: pd.Series, scene: Scene | None, study: Study, plan: Plan, design: Design, weapons: pd.DataFrame
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    assets = study.tables.get("state_assets")
    damage = study.tables.get("mission_damage", pd.DataFrame(columns=["event_id", "date", "mission_id"]))
    damage = damage[damage["mission_id"] == claim["mission_id"]]
    asset = assets is not None and claim["mission_id"] in set(assets["asset_id"])
    stated = claim["claimed_distance_m"]
    distance = float(claim["distance_from_steps_m"] if pd.isna(stated) else stated)
    row: dict[str, Any] = {
        **{key: claim[key] for key in TEXT}, "date": claim["date"].date().isoformat(), "mission_id": claim["mission_id"],
        "about": "a state-linked asset" if asset else "a mission", "distance_m": distance, "prompting": bool(claim["prompting"]),
        "damage_events": sorted(set(damage["event_id"][damage["date"] == claim["date"]])),
        "matched": [], "expected": [], "chance_this": None, "chance_some": None, "aim_points": [], "ratios": [],
    }  # fmt: skip
    reasons = []
    if asset:
        reasons.append("it is about a state-linked asset and not a mission, and the place is published only as a region")
    elif scene is None:
        reasons.append(f"it is about {claim['place']}, and the strikes examined are those on {study.name}")
    if np.isnan(distance):
        reasons.append("no distance was stated")
    try:
        prior = cep_prior(weapons, str(claim["weapon_claimed"]))
    except InputError as error:
        reasons.append(error.rule)
        scene = None
    compared: list[dict[str, Any]] = []
    if scene is not None:
        day = scene.strikes[scene.strikes["date"] == claim["date"]]
        row["matched"] = day[["strike_id", "distance_m", "uncertainty_m", "mechanism", "place"]].to_dict("records")
        rivals = scene.located.rivals
        row["aim_points"] = [{"name": aim.name, "edge_m": rivals.gap(aim), "error_m": aim.error} for aim in rivals.aim_points]
        if distance > scene.reach:
            reasons.append(f"the claimed distance is over {scene.reach:.0f} m")
        elif not np.isnan(distance):
            row.update(_chances(claim["date"], distance or TERRITORY_M, scene, plan, design))
            by_choice = {
                radius: compare_explanations(
                    *scene.places(distance), at, prior, error=0.0, levels=ERRORS_M if radius == scene.reach else ()
                )
                for radius, at in scene.claimed.items()
                if radius >= distance
            }
            exact = by_choice.pop(scene.reach)
            compared.append(_entry(claim["claim_id"], CLAIMED, prior, exact))
            row["ratios"] = [
                {**pair, "by_choice": [{"radius_m": r, "ratio": c.ratio(pair["of"], pair["against"])} for r, c in by_choice.items()]}
                for pair in exact.pairs
            ]
        if len(day):
            located = compare_explanations(
                day["easting"], day["northing"], scene.located, prior, error=day["uncertainty_m"], attack=day["attack_id"]
            )
            compared.append(_entry(claim["claim_id"], "as located in the data", prior, located))
            blur = float(day["uncertainty_m"].max())
            if blur > max(distance, TERRITORY_M):
                reasons.append(f"the strike matched to it is known to {blur:.0f} m on each axis, and the claim is about {distance:.0f} m")
            if located.reason:
                reasons.append(located.reason)
        else:
            reasons.append(f"the data hold no strike of that date located within {scene.reach:.0f} m of the mission")
    verdict = UNTESTED if reasons else located.conclusion
    return {**row, "verdict": verdict, "reasons": reasons}, compared


def _entry(claim: str, basis: str, prior: CepPrior, found: Comparison) -> dict[str, Any]:
    return {"claim": claim, "basis": basis, "weapon": prior.weapon, "cep_low": prior.low, "cep_high": prior.high, **found.to_dict()}


def _chances(date: pd.Timestamp, distance: float, scene: Scene, plan: Plan, design: Design) -> dict[str, Any]:
    """Give, under each baseline fitted to the strikes up to the date, the number expected this near to this mission and to any.

    Discs finer than the cells are scaled down from one of two cells. The chance of one or more is Poisson.
    """
    assert design.points.marks is not None
    until = (pd.to_datetime(design.points.marks["date"]) <= date).to_numpy()
    e, y, weight = design.points.easting[until], design.points.northing[until], design.weights[until]
    shown = max(distance, 2 * design.grid.dx)
    shrink = (distance / shown) ** 2
    fields = {name: Decay("disc", shown).field(sites, design.grid) for name, sites in (("this", scene.only), ("some", design.sites))}
    estimators: list[LinearEstimator] = [Uniform(design.grid), *(Kernel(design.grid, h) for h in plan.secondary.bandwidths_m)]
    rows = []
    for estimator in estimators:
        fitted = estimator.fit(e, y, weight)
        expected = {name: shrink * fitted.expected(disc) for name, disc in fields.items()}
        rows.append({"baseline": estimator.name, "planned": getattr(estimator, "bandwidth", 0.0) == plan.primary.bandwidth_m,
                     **expected, **{f"chance_{name}": float(-np.expm1(-value)) for name, value in expected.items()}})  # fmt: skip
    planned = next((r for r in rows if r["planned"]), rows[-1])
    return {"expected_within_m": distance, "expected": rows, "chance_this": planned["chance_this"], "chance_some": planned["chance_some"]}


def _together(scene: Scene, weapons: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare all located strikes about the mission together, claimed or not. Claims are not added up: the claimant chose them."""
    near = scene.strikes
    if near.empty:
        return []
    classes = [name if name in CLASSES else "unknown" for name in near["weapon_class"]]
    priors = {name: cep_prior(weapons, name) for name in set(classes)}
    found = compare_explanations(
        near["easting"], near["northing"], scene.located, [priors[name] for name in classes],
        error=near["uncertainty_m"], attack=near["attack_id"],
    )  # fmt: skip
    widest = min(priors.values(), key=lambda p: (p.low, -p.high))
    return [_entry("", f"all located strikes within {scene.reach:g} m together", widest, found)]


def _damage(study: Study, focus: str) -> dict[str, Any]:
    """Count what the list of damaged missions holds. It has no denominator: every row is there because of damage at or near a mission."""
    if "mission_damage" not in study.tables:
        return {}
    table = study.tables["mission_damage"]
    here = table[table["city"] == study.name]
    about = here["event_id"][here["mission_id"] == focus]
    return {"events": int(table["event_id"].nunique()), "events_here": int(here["event_id"].nunique()),
            "missions_here": int(here["mission_id"].nunique()), "events_focus": int(about.nunique())}  # fmt: skip
