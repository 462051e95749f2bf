"""Threats to the conclusion: the size of the test in simulated worlds, and the verdict's rules."""

from .calibration import Calibration, calibrate, defining_parts
from .focused import FocusedCalibration, calibrate_focused
from .verdict import Verdict, fragility, verdict
from .worlds import World, draw_strikes, setting, simulate_design, worlds

__all__ = [
    "Calibration",
    "FocusedCalibration",
    "Verdict",
    "World",
    "calibrate",
    "calibrate_focused",
    "defining_parts",
    "draw_strikes",
    "fragility",
    "setting",
    "simulate_design",
    "verdict",
    "worlds",
]
