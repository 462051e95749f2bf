"""Nearness of strikes to sites."""

from .berman import berman_test, cdf_test
from .cell_counts import cross_k_draws, cross_k_of_counts
from .count import count_within, weighted_count
from .curve import ratio_curve
from .decay import Decay
from .design import Design, build_design, cell_strata, periods, tested_sites
from .excess import ExcessResult, excess_ratio, tilted
from .nearest import cross_g, cross_j, f_function, g_function, j_function, nearest_distance
from .pairs import pair_correlation
from .rho import RhoResult, rho_hat
from .ripley import cross_k, k_function, l_function
from .score import (
    LinearScore,
    blurred,
    decay_score,
    decay_score_test,
    error_classes,
    score_test,
)
from .summary import SummaryFunction

__all__ = [
    "Decay",
    "Design",
    "ExcessResult",
    "LinearScore",
    "RhoResult",
    "SummaryFunction",
    "berman_test",
    "blurred",
    "build_design",
    "cdf_test",
    "cell_strata",
    "count_within",
    "cross_g",
    "cross_j",
    "cross_k",
    "cross_k_draws",
    "cross_k_of_counts",
    "decay_score",
    "decay_score_test",
    "error_classes",
    "excess_ratio",
    "f_function",
    "g_function",
    "j_function",
    "k_function",
    "l_function",
    "nearest_distance",
    "pair_correlation",
    "periods",
    "ratio_curve",
    "rho_hat",
    "score_test",
    "tested_sites",
    "tilted",
    "weighted_count",
]
