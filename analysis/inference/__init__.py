"""From draws to decisions, and the types in which results are returned."""

from .envelope import EnvelopeResult, global_envelope_test
from .ledger import Ledger, ledger
from .monte_carlo import Alternative, Statistic, monte_carlo_p, monte_carlo_test, simulate, warn_of_salvos
from .multiplicity import benjamini_hochberg, holm, max_t, pooled_p, standardised
from .power import PowerCurve, power_curve
from .results import CountResult, CurveResult, TestResult, format_p, to_json
from .two_stage import two_stage_test

__all__ = [
    "Alternative",
    "CountResult",
    "CurveResult",
    "EnvelopeResult",
    "Ledger",
    "PowerCurve",
    "Statistic",
    "TestResult",
    "benjamini_hochberg",
    "format_p",
    "global_envelope_test",
    "holm",
    "ledger",
    "max_t",
    "monte_carlo_p",
    "monte_carlo_test",
    "pooled_p",
    "power_curve",
    "simulate",
    "standardised",
    "to_json",
    "two_stage_test",
    "warn_of_salvos",
]
