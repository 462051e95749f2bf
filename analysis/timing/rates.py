"""Two rates compared exactly.

References
----------
Lehmann, E. L. & Romano, J. P. (2005). Testing Statistical Hypotheses, 3rd ed., section 4.5. Clopper, C. J. & Pearson, E. S. (1934).
Biometrika 26, 404-413.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binomtest

from ..pattern import InputError
from .answer import Ratio


def rate_ratio_test(events: float, exposure: float, events_reference: float, exposure_reference: float, *, level: float = 0.95) -> Ratio:
    """Compare a rate with a reference rate, given the total number of events.

    Answers: did attacks come more often after a date than before it, if they came independently at a constant rate on either side? Count
    attacks, not strikes: strikes of a salvo are not independent. Neither trend nor seasons are allowed for.

    Parameters
    ----------
    events, events_reference : int
    exposure, exposure_reference : float
        Days, or site-days, over which they were counted: above zero.

    Returns
    -------
    Ratio
        Of events / exposure, with Clopper and Pearson's interval and the two-sided p of minimum likelihood, which do not always agree at
        the level (as in R's poisson.test). No events at all: NaN, 0 to infinity, p = 1.

    Examples
    --------
    >>> found = rate_ratio_test(3, 1309, 1, 50)
    >>> round(found.ratio, 3), round(found.p_value, 3)
    (0.115, 0.139)
    """
    for column, count in (("events", events), ("events_reference", events_reference)):
        if not (np.isfinite(count) and count >= 0 and count == int(count)):
            raise InputError("must be a whole number, not negative", column=column, value=count)
    for column, time in (("exposure", exposure), ("exposure_reference", exposure_reference)):
        if not (np.isfinite(time) and time > 0):
            raise InputError("must be a finite number above zero", column=column, value=time)
    n, method = int(events + events_reference), "exact, given the total"
    if n == 0:
        return Ratio("rate ratio", float("nan"), (0.0, float("inf")), level, 1.0, 0, method)
    found = binomtest(int(events), n, exposure / (exposure + exposure_reference))
    limits, scale = found.proportion_ci(level, "exact"), float(exposure_reference / exposure)
    ratio, low, high = (scale * float(p) / (1 - float(p)) if p < 1 else float("inf") for p in (events / n, limits.low, limits.high))
    return Ratio("rate ratio", ratio, (low, high), level, float(min(found.pvalue, 1.0)), n, method)
