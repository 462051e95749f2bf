"""Do strikes fall near protected sites more often than baseline strike intensity predicts?"""

from .assess import Assessment, assess
from .pattern import InputError, Intensity, Plan, PointPattern, Sites, Strikes, Study, Window

__all__ = ["Assessment", "InputError", "Intensity", "Plan", "PointPattern", "Sites", "Strikes", "Study", "Window", "assess"]
