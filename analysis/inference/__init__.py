"""From draws to decisions, and the types in which results are returned."""

from .envelope import erl_envelope, extreme_rank_lengths
from .ledger import Ledger, ledger
from .monte_carlo import Alternative, Statistic, monte_carlo_p, monte_carlo_test, simulate
from .results import CountResult, CurveResult, TestResult, format_p, to_json

__all__ = [
    "Alternative",
    "CountResult",
    "CurveResult",
    "Ledger",
    "Statistic",
    "TestResult",
    "erl_envelope",
    "extreme_rank_lengths",
    "format_p",
    "ledger",
    "monte_carlo_p",
    "monte_carlo_test",
    "simulate",
    "to_json",
]
