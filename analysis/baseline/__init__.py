"""Where strikes fall anyway: estimators of baseline intensity, each refittable inside a draw."""

from .bandwidth import select_bandwidth
from .covariates import decay_around, distance_to, label_of, read_off
from .diagnostics import compare_fits, cross_validate, likelihood_ratio, partial_effect, residual_quantiles, smoothed_residuals
from .estimator import LinearEstimator
from .kernel import Kernel, kernel_intensity
from .loglinear import LoglinearFit, fit_loglinear
from .newton import poisson_newton
from .quadrature import Quadrature, quadrature_for
from .reporting import LocatedShare, located_share
from .smoothing import edge_mass, smooth, window_means
from .surface import FittedSurface, SmoothSurface
from .uniform import Uniform, uniform_intensity

__all__ = [
    "FittedSurface",
    "Kernel",
    "LinearEstimator",
    "LocatedShare",
    "LoglinearFit",
    "Quadrature",
    "SmoothSurface",
    "Uniform",
    "compare_fits",
    "cross_validate",
    "decay_around",
    "distance_to",
    "edge_mass",
    "fit_loglinear",
    "kernel_intensity",
    "label_of",
    "likelihood_ratio",
    "located_share",
    "partial_effect",
    "poisson_newton",
    "quadrature_for",
    "read_off",
    "residual_quantiles",
    "select_bandwidth",
    "smooth",
    "smoothed_residuals",
    "uniform_intensity",
    "window_means",
]
