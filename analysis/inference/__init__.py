"""From draws to decisions, and the types in which results are returned."""

from .envelope import EnvelopeResult, global_envelope_test
from .monte_carlo import Alternative, Statistic, monte_carlo_p, monte_carlo_test, simulate
from .results import CountResult, CurveResult, TestResult, format_p, to_json
from .two_stage import two_stage_test

__all__ = [
    "Alternative",
    "CountResult",
    "CurveResult",
    "EnvelopeResult",
    "Statistic",
    "TestResult",
    "format_p",
    "global_envelope_test",
    "monte_carlo_p",
    "monte_carlo_test",
    "simulate",
    "to_json",
    "two_stage_test",
]
