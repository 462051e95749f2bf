"""The nouns: window, grid, points, strikes, sites, intensity, study and plan."""

from .edge import circle_share
from .errors import AnalysisWarning, InputError, refuse_few
from .grid import Grid
from .intensity import Intensity
from .near import near_pairs
from .overlap import window_overlap
from .plan import CleanRules, Plan
from .points import PointPattern, label_codes, project
from .sites import Sites
from .strikes import Strikes
from .study import WHOLE, Study
from .window import Window

__all__ = [
    "WHOLE",
    "AnalysisWarning",
    "CleanRules",
    "Grid",
    "InputError",
    "Intensity",
    "Plan",
    "PointPattern",
    "Sites",
    "Strikes",
    "Study",
    "Window",
    "circle_share",
    "label_codes",
    "near_pairs",
    "project",
    "refuse_few",
    "window_overlap",
]
