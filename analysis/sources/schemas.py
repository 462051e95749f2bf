"""The tables of data/hand: every column, its type and its rule. The dictionary in data/README.md says what they mean."""

from __future__ import annotations

import pandera.pandas as pa

LONGITUDE = pa.Check.in_range(-180, 180)
LATITUDE = pa.Check.in_range(-90, 90)
POSITIVE = pa.Check.gt(0)
NOT_NEGATIVE = pa.Check.ge(0)


def _text(*, required: bool = True, among: tuple[str, ...] = (), unique: bool = False) -> pa.Column:
    checks = [pa.Check.isin(among)] if among else []
    return pa.Column(None, checks, nullable=not required, unique=unique)


def _number(check: pa.Check, *, required: bool = True) -> pa.Column:
    return pa.Column(float, check, nullable=not required, coerce=True)


def _date(*, required: bool = True) -> pa.Column:
    return pa.Column("datetime64[ns]", nullable=not required, coerce=True)


def _flag() -> pa.Column:
    return pa.Column(None, pa.Check.isin([True, False], name="true or false"))


STRIKES = pa.DataFrameSchema(
    {
        "strike_id": _text(unique=True),
        "date": _date(),
        "time_local": pa.Column(None, pa.Check.str_matches(r"^([01]\d|2[0-3]):[0-5]\d$"), nullable=True),
        "attack_id": _text(),
        "support": _text(among=("point", "area")),
        "longitude": _number(LONGITUDE, required=False),
        "latitude": _number(LATITUDE, required=False),
        "uncertainty_m": _number(POSITIVE, required=False),
        "raion": _text(),
        "weapon_class": _text(among=("drone", "cruise", "ballistic", "hypersonic", "artillery_mlrs", "unknown")),
        "weapon": _text(required=False),
        "mechanism": _text(among=("impact", "debris", "unknown")),
        "struck": _text(),
        "place": _text(),
        "source_publisher": _text(),
        "source_date": _date(required=False),
        "source_url": _text(),
        "note": _text(required=False),
    },
    strict=True,
)

MISSIONS = pa.DataFrameSchema(
    {
        "mission_id": _text(unique=True),
        "sending_state": _text(),
        "sending_state_iso3": _text(),
        "type": _text(),
        "city": _text(),
        "longitude": _number(LONGITUDE),
        "latitude": _number(LATITUDE),
        "uncertainty_m": _number(POSITIVE),
        "building_id": _text(),
        "open_from": _date(required=False),
        "open_to": _date(required=False),
        "party_to_conflict": _flag(),
        "enters_through": _text(among=("register", "outcome")),
        "wikidata_qid": _text(required=False),
        "source": _text(),
        "note": _text(required=False),
    },
    strict=True,
)

AIM_POINTS = pa.DataFrameSchema(
    {
        "aim_id": _text(unique=True),
        "name": _text(),
        "category": _text(),
        "longitude": _number(LONGITUDE),
        "latitude": _number(LATITUDE),
        "radius_m": _number(POSITIVE),
        "uncertainty_m": _number(POSITIVE),
        "first_reported_struck": _date(required=False),
        "declared_by_attacker": pa.Column(None, pa.Check.isin([True, False, "unknown"])),
        "inside_city": _flag(),
        "source": _text(),
        "note": _text(required=False),
    },
    strict=True,
)

CLAIMS = pa.DataFrameSchema(
    {
        "claim_id": _text(unique=True),
        "date": _date(),
        "local_time": _text(required=False),
        "place": _text(),
        "mission_id": _text(),
        "weapon_claimed": _text(),
        "claimed_distance_m": _number(NOT_NEGATIVE, required=False),
        "steps": _number(POSITIVE, required=False),
        "distance_from_steps_m": _number(POSITIVE, required=False),
        "distance_basis": _text(),
        "claimed_effect": _text(),
        "claimed_by": _text(),
        "source": _text(),
        "conflicting_reports": _text(required=False),
        "prompting": _flag(),
    },
    strict=True,
)

NOTIFICATIONS = pa.DataFrameSchema(
    {
        "notification_id": _text(unique=True),
        "subject": _text(),
        "given_by": _text(),
        "given_to": _text(),
        "date_from": _date(required=False),
        "date_to": _date(required=False),
        "uncertain": _flag(),
        "content": _text(),
        "source": _text(),
        "note": _text(required=False),
    },
    strict=True,
)

MISSION_DAMAGE = pa.DataFrameSchema(
    {
        "event_id": _text(),
        "date": _date(required=False),
        "city": _text(),
        "mission_id": _text(required=False),
        "premises_damaged": pa.Column(None, pa.Check.isin([True, False, "unclear"])),
        "distance_reported_m": _number(NOT_NEGATIVE, required=False),
        "mechanism": _text(),
        "weapon": _text(),
        "source_publisher": _text(),
        "source_url": _text(required=False),
        "note": _text(required=False),
        "prompting": _flag(),
    },
    strict=True,
)

WEAPONS = pa.DataFrameSchema(
    {
        "weapon": _text(),
        "class": _text(),
        "warhead_kg": _text(required=False),
        "cep_m_low": _number(POSITIVE, required=False),
        "cep_m_high": _number(POSITIVE, required=False),
        "source_publisher": _text(),
        "source_url": _text(required=False),
        "seen_here": _flag(),
        "note": _text(required=False),
    },
    strict=True,
)

STATE_ASSETS = pa.DataFrameSchema(
    {
        "asset_id": _text(unique=True),
        "name": _text(),
        "owner_state": _text(),
        "owner_iso3": _text(),
        "kind": _text(),
        "longitude": _number(LONGITUDE),
        "latitude": _number(LATITUDE),
        "uncertainty_m": _number(POSITIVE),
        "diplomatic_premises": _flag(),
        "source": _text(),
        "note": _text(required=False),
    },
    strict=True,
)

RAIONS = pa.DataFrameSchema(
    {
        "raion_id": _text(unique=True),
        "name_en": _text(unique=True),
        "name_uk": _text(),
        "population": _number(POSITIVE),
        "population_date": _date(),
        "population_source": _text(),
        "population_2001": _number(POSITIVE),
        "population_2001_source": _text(),
        "area_km2": _number(POSITIVE),
        "area_source": _text(),
        "area_simplified_km2": _number(POSITIVE),
        "density_per_km2": _number(POSITIVE),
        "note": _text(required=False),
    },
    strict=True,
)

EVENTS = pa.DataFrameSchema({"date": _date(), "concerns": _text(), "what": _text(), "source": _text()}, strict=True)

HAND = {
    "strikes": STRIKES,
    "missions": MISSIONS,
    "aim_points": AIM_POINTS,
    "claims": CLAIMS,
    "notifications": NOTIFICATIONS,
    "mission_damage": MISSION_DAMAGE,
    "weapons": WEAPONS,
    "state_assets": STATE_ASSETS,
    "raions": RAIONS,
}
OPTIONAL = {"events": EVENTS}
