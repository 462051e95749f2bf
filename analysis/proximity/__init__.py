"""Nearness of strikes to sites."""

from .berman import berman_test, cdf_test
from .cell_counts import cross_k_draws, cross_k_of_counts
from .count import count_within, weighted_count
from .curve import ratio_curve
from .decay import Decay
from .design import Design, build_design, cell_strata, periods, tested_sites
from .events import flow, held_out_events, near_aim_points, near_events, nearest_aim_point, site_error
from .excess import ExcessResult, excess_ratio, tilted
from .focused import FocusedFamily, FocusedScore, bithell_weights, focused_family_test, focused_score_test, tango_decay
from .joint import JointResult, joint_site_effect
from .kernel_incidence import KernelIncidence, kernel_raised_incidence, kernel_raised_incidence_test
from .look_elsewhere import LookElsewhere, look_elsewhere
from .nearest import cross_g, cross_j, f_function, g_function, j_function, nearest_distance
from .pairs import pair_correlation
from .placebo import placebo_test
from .raised_incidence import RaisedIncidence, raised_incidence, raised_incidence_test
from .relative_risk import RelativeRisk, relabelled_p, relative_risk
from .rho import RhoResult, rho_hat
from .rings import RingCounts, ring_counts
from .ripley import cross_k, k_function, l_function
from .risk_bandwidth import risk_bandwidth
from .scan import ScanResult, scan_test
from .scan_time import space_time_scan
from .score import LinearScore, decay_score, decay_score_test, error_classes, score_test
from .separate import SeparateIncidence, separate_incidence
from .shift import random_shift_test
from .stone import stone_test
from .summary import SummaryFunction
from .tiles import tiled_decay_score_test

__all__ = [
    "Decay",
    "Design",
    "ExcessResult",
    "FocusedFamily",
    "FocusedScore",
    "JointResult",
    "KernelIncidence",
    "LinearScore",
    "LookElsewhere",
    "RaisedIncidence",
    "RelativeRisk",
    "RhoResult",
    "RingCounts",
    "ScanResult",
    "SeparateIncidence",
    "SummaryFunction",
    "berman_test",
    "bithell_weights",
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
    "flow",
    "focused_family_test",
    "focused_score_test",
    "g_function",
    "held_out_events",
    "j_function",
    "joint_site_effect",
    "k_function",
    "kernel_raised_incidence",
    "kernel_raised_incidence_test",
    "l_function",
    "look_elsewhere",
    "near_aim_points",
    "near_events",
    "nearest_aim_point",
    "nearest_distance",
    "pair_correlation",
    "periods",
    "placebo_test",
    "raised_incidence",
    "raised_incidence_test",
    "random_shift_test",
    "ratio_curve",
    "relabelled_p",
    "relative_risk",
    "rho_hat",
    "ring_counts",
    "risk_bandwidth",
    "scan_test",
    "score_test",
    "separate_incidence",
    "site_error",
    "space_time_scan",
    "stone_test",
    "tango_decay",
    "tested_sites",
    "tiled_decay_score_test",
    "tilted",
    "weighted_count",
]
