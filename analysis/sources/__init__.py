"""The outside world made into nouns: reading, checking, and the embedded facts."""

from .geometry import read_areas, read_polygons, read_window
from .hand import load_study, raion_offsets, read_hand
from .plan_file import read_plan
from .tables import read_table

__all__ = [
    "load_study",
    "raion_offsets",
    "read_areas",
    "read_hand",
    "read_plan",
    "read_polygons",
    "read_table",
    "read_window",
]
