"""Threats to the conclusion: the size of the test in simulated worlds, and the verdict's rules."""

from .calibration import Calibration, calibrate, defining_parts
from .focused import FocusedCalibration, calibrate_focused
from .sizes import Sizes, measure_sizes
from .verdict import Verdict, fragility, verdict
from .worlds import World, draw_strikes, setting, simulate_design, worlds

__all__ = [
    "Calibration",
    "FocusedCalibration",
    "Sizes",
    "Verdict",
    "World",
    "calibrate",
    "calibrate_focused",
    "defining_parts",
    "draw_strikes",
    "fragility",
    "measure_sizes",
    "setting",
    "simulate_design",
    "verdict",
    "worlds",
]
