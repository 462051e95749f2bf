"""Nearness of strikes to sites."""

from .berman import berman_test, cdf_test
from .count import count_within, weighted_count
from .curve import ratio_curve
from .decay import Decay
from .design import Design, build_design, cell_strata, periods, tested_sites
from .events import flow, held_out_events, near_aim_points, near_events, nearest_aim_point, site_error
from .excess import ExcessResult, excess_ratio, tilted
from .focused import (
    FocusedFamily,
    FocusedScore,
    bithell_weights,
    focused_family_test,
    focused_score_test,
    tango_decay,
)
from .joint import JointResult, joint_site_effect
from .kernel_incidence import KernelIncidence, kernel_raised_incidence, kernel_raised_incidence_test
from .look_elsewhere import LookElsewhere, look_elsewhere
from .raised_incidence import (
    RaisedIncidence,
    SeparateIncidence,
    raised_incidence,
    raised_incidence_test,
    separate_incidence,
)
from .relative_risk import RelativeRisk, relabelled_p, relative_risk
from .rings import RingCounts, ring_counts
from .risk_bandwidth import risk_bandwidth
from .scan import ScanResult, scan_test
from .scan_time import space_time_scan
from .score import (
    LinearScore,
    blurred,
    decay_score,
    decay_score_test,
    error_classes,
    score_test,
)
from .stone import stone_test

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
    "RingCounts",
    "ScanResult",
    "SeparateIncidence",
    "berman_test",
    "bithell_weights",
    "blurred",
    "build_design",
    "cdf_test",
    "cell_strata",
    "count_within",
    "decay_score",
    "decay_score_test",
    "error_classes",
    "excess_ratio",
    "flow",
    "focused_family_test",
    "focused_score_test",
    "held_out_events",
    "joint_site_effect",
    "kernel_raised_incidence",
    "kernel_raised_incidence_test",
    "look_elsewhere",
    "near_aim_points",
    "near_events",
    "nearest_aim_point",
    "periods",
    "raised_incidence",
    "raised_incidence_test",
    "ratio_curve",
    "relabelled_p",
    "relative_risk",
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
    "tilted",
    "weighted_count",
]
