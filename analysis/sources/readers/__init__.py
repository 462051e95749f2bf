"""One reader for each format; all give raw rows."""

from collections.abc import Callable
from pathlib import Path

from ..raw import RawTable
from . import bellingcat, event_data, eyes_on_russia, geoconfirmed, missions
from .attacks import read_alerts, read_attack_counts

Reader = Callable[[Path, str], RawTable]
STRIKE_READERS: dict[str, Reader] = {
    "acled": event_data.read_acled,
    "bellingcat_csv": bellingcat.read_csv,
    "bellingcat_json": bellingcat.read_json,
    "eyes_on_russia": eyes_on_russia.read_csv,
    "geoconfirmed": geoconfirmed.read_kml,
    "ucdp": event_data.read_ucdp,
    "viina": event_data.read_viina,
}
SITE_READERS: dict[str, Reader] = {
    "embassies": missions.read_embassies,
    "overpass": missions.read_overpass,
    "wikidata": missions.read_wikidata,
}

__all__ = ["SITE_READERS", "STRIKE_READERS", "Reader", "read_alerts", "read_attack_counts"]
