"""Draws from a baseline, under a null hypothesis."""

from .clustered import LogGaussianCoxNull, ThomasNull
from .draws import Draws, Null, Rng, replicate_rng, seed_sequence
from .from_intensity import BinomialNull, PoissonNull
from .minimum_contrast import ClusterFit, fit_cluster, lgcp_curve, thomas_curve
from .moved import AttackBlockNull, RandomShiftNull, RelabelNull, variance_corrected
from .placebo import PlaceboSites, placebo_sites

__all__ = [
    "AttackBlockNull",
    "BinomialNull",
    "ClusterFit",
    "Draws",
    "LogGaussianCoxNull",
    "Null",
    "PlaceboSites",
    "PoissonNull",
    "RandomShiftNull",
    "RelabelNull",
    "Rng",
    "ThomasNull",
    "fit_cluster",
    "lgcp_curve",
    "placebo_sites",
    "replicate_rng",
    "seed_sequence",
    "thomas_curve",
    "variance_corrected",
]
