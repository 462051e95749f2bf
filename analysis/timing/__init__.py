"""When: notification, diplomatic events, near repeats, self-excitation. Every answer may be that these data give none, and why."""

from .answer import Answer, NotIdentifiable, Ratio
from .crossover import crossover_test
from .hawkes import HawkesFit, excitation_test, fit_hawkes, hawkes_log_likelihood
from .knox import NearRepeat, knox_test, mantel_test, near_repeat_table
from .notification import exact_notification_test, interrupted_series, notification_test
from .rates import rate_ratio_test
from .when import Timing, when

__all__ = [
    "Answer",
    "HawkesFit",
    "NearRepeat",
    "NotIdentifiable",
    "Ratio",
    "Timing",
    "crossover_test",
    "exact_notification_test",
    "excitation_test",
    "fit_hawkes",
    "hawkes_log_likelihood",
    "interrupted_series",
    "knox_test",
    "mantel_test",
    "near_repeat_table",
    "notification_test",
    "rate_ratio_test",
    "when",
]
