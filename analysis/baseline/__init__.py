"""Where strikes fall anyway: estimators of baseline intensity, each refittable inside a draw."""

from .estimator import LinearEstimator
from .kernel import Kernel, kernel_intensity, smooth, window_mean
from .reporting import LocatedShare, located_share
from .uniform import Uniform, uniform_intensity

__all__ = [
    "Kernel",
    "LinearEstimator",
    "LocatedShare",
    "Uniform",
    "kernel_intensity",
    "located_share",
    "smooth",
    "uniform_intensity",
    "window_mean",
]
