"""Nearness of strikes to sites."""

from .berman import berman_test, cdf_test
from .count import count_within, weighted_count
from .curve import ratio_curve
from .decay import Decay
from .design import Design, build_design, cell_strata, periods, tested_sites
from .excess import ExcessResult, excess_ratio, tilted
from .joint import JointResult, joint_site_effect
from .score import (
    LinearScore,
    blurred,
    decay_score,
    decay_score_test,
    error_classes,
    score_test,
)

__all__ = [
    "Decay",
    "Design",
    "ExcessResult",
    "JointResult",
    "LinearScore",
    "berman_test",
    "blurred",
    "build_design",
    "cdf_test",
    "cell_strata",
    "count_within",
    "decay_score",
    "decay_score_test",
    "error_classes",
    "excess_ratio",
    "joint_site_effect",
    "periods",
    "ratio_curve",
    "score_test",
    "tested_sites",
    "tilted",
    "weighted_count",
]
