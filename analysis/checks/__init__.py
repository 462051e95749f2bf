"""Threats to the conclusion, one result each; the size of the test in simulated worlds; and the verdict's rules."""

from .calibration import Calibration, calibrate, defining_parts
from .focused import FocusedCalibration, calibrate_focused
from .pieces import Pieces
from .scene import CheckResult, Scene, scene
from .sizes import Sizes, measure_sizes
from .threats import run_checks
from .treatments import Run, baselines, variants
from .verdict import Verdict, verdict
from .worlds import World, draw_strikes, setting, simulate_design, worlds

__all__ = [
    "Calibration",
    "CheckResult",
    "FocusedCalibration",
    "Pieces",
    "Run",
    "Scene",
    "Sizes",
    "Verdict",
    "World",
    "baselines",
    "calibrate",
    "calibrate_focused",
    "defining_parts",
    "draw_strikes",
    "measure_sizes",
    "run_checks",
    "scene",
    "setting",
    "simulate_design",
    "variants",
    "verdict",
    "worlds",
]
