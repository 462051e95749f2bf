"""The outside world made into nouns: reading, checking, and the embedded facts."""

from .clean import CleanStrikes, clean, screen
from .completeness import Completeness, chapman, completeness
from .fetch import fetch, read_manifest
from .geometry import read_areas, read_features, read_polygons, read_window
from .hand import load_study, raion_offsets, read_hand
from .own_data import own_study, read_sites
from .parquet import read_parquet_strikes
from .plan_file import read_plan
from .raw import RawTable
from .readers import SITE_READERS, STRIKE_READERS
from .registry import Source, read_registry
from .tables import read_table
from .trace import trace_strike

__all__ = [
    "SITE_READERS",
    "STRIKE_READERS",
    "CleanStrikes",
    "Completeness",
    "RawTable",
    "Source",
    "chapman",
    "clean",
    "completeness",
    "fetch",
    "load_study",
    "own_study",
    "raion_offsets",
    "read_areas",
    "read_features",
    "read_hand",
    "read_manifest",
    "read_parquet_strikes",
    "read_plan",
    "read_polygons",
    "read_registry",
    "read_sites",
    "read_table",
    "read_window",
    "screen",
    "trace_strike",
]
