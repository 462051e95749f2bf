"""Reporting: how much likelier strikes near sites would have to be located for the excess to vanish.

References
----------
VanderWeele, T. J. & Ding, P. (2017). Sensitivity analysis in observational research: introducing the E-value. Annals of Internal
Medicine 167, 268-274.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..inference import format_p, monte_carlo_p
from ..pattern import label_codes
from ..proximity import ExcessResult
from .scene import CheckResult, Scene


def e_value(ratio: float) -> float:
    """Give RR + √(RR (RR − 1)): how strongly a confounder must go with both nearness and strikes to make the ratio; below 1, of 1/RR.

    Examples
    --------
    >>> round(e_value(3.9), 5)
    7.26303
    """
    if not 0 < ratio < np.inf:
        return float("inf")
    above = max(ratio, 1 / ratio)
    return float(above + np.sqrt(above * (above - 1)))


def break_even(at: Scene, excess: ExcessResult) -> CheckResult:
    """Give the near/far ratio of reporting that brings the excess ratio, and its lower limit, to 1; and the E-values of both.

    Passed: the excess ratio's lower limit is at least the plan's ``reporting_ratio``. Without a rejection there is no excess to explain.
    """
    low, ratio = excess.interval[0], excess.ratio
    rows = tuple({"of": name, "break_even": value, "e_value": e_value(value) if value > 1 else 1.0}
                 for name, value in (("excess ratio", ratio), ("lower limit", low)))  # fmt: skip
    limit = at.plan.checks.reporting_ratio
    passed = bool(low >= limit) if at.rejects else None
    said = (
        f"If strikes within {excess.radius:g} m of a site are {ratio:.2f} times as likely to be located as others of the same area and "
        f"period, the excess ratio is 1; for its lower limit a factor of {max(low, 1.0):.2f} is enough. "
        f"The plan asks that a factor of {limit:g} be withstood."
    )
    return CheckResult("reporting", "Strikes near sites are located more readily than others.", passed, rows, said)


def sources(at: Scene, radius: float) -> CheckResult:
    """Compare sources: the share of located strikes near sites in each, against sources dealt among the strikes anew."""
    threat = "One kind of source looks where sites are, and makes the excess."
    marks = at.design.points.marks
    if marks is None or "source_publisher" not in marks:
        return CheckResult("sources", threat, None, (), "The strikes do not name their sources.")
    use = at.weights > 0
    given = marks["source_publisher"].astype(str)[use]
    name = given.where(given.map(given.value_counts()) >= at.plan.checks.min_strikes, "all others").to_numpy()
    near = at.design.sites.distance(at.design.points.easting[use], at.design.points.northing[use]) <= radius
    label = label_codes(name, len(name))
    size = np.bincount(label)
    if len(size) < 2:
        said = f"No source has {at.plan.checks.min_strikes} located strikes or more."
        return CheckResult("sources", threat, None, (), said)
    dealt = (label[np.argsort(part[:, use], axis=1)] for part in at.uniforms(len(use)))
    each = np.hstack([[(near & (part == k)).sum(axis=1) for k in range(len(size))] for part in dealt])
    observed = np.bincount(label, near)
    expected = near.sum() * size / len(near)
    spread = np.maximum(expected, 1e-9)
    p = monte_carlo_p(
        float(((observed - expected) ** 2 / spread).sum()), ((each - expected[:, None]) ** 2 / spread[:, None]).sum(axis=0), "greater"
    )
    table = tuple({"source": str(name[label == k][0]), "located": int(size[k]), "near": int(observed[k]),
                   "share_near": float(observed[k] / size[k])} for k in range(len(size)))  # fmt: skip
    passed = p > at.plan.primary.level
    said = f"Sources {'do not differ' if passed else 'differ'} in the share of their strikes near sites (p = {format_p(p)})."
    return CheckResult("sources", threat, passed, table, said)


def capture_recapture(at: Scene, excess: ExcessResult) -> CheckResult:
    """Compare the completeness of reports near sites and beyond, as :func:`analysis.sources.completeness` estimates it.

    Reads the study's table ``completeness`` (where, first, second, completeness), which cleaning writes.
    Passed: the ratio of completeness near to that beyond stays below the break-even of the excess ratio.
    """
    threat = "Reports near sites are more complete than elsewhere, by as much as the excess."
    frame = at.study.tables.get("completeness", pd.DataFrame(columns=["where", "first", "second", "completeness"]))
    table = tuple({str(k): v for k, v in row.items()} for row in frame.to_dict("records"))
    known = frame[frame["completeness"].notna()]
    ratios = []
    for _, pair in known.groupby(["first", "second"]):
        near, far = (pair.loc[pair["where"].str.startswith(word), "completeness"] for word in ("within", "beyond"))
        if len(near) and len(far):
            ratios.append(float(near.iloc[0]) / float(far.iloc[0]))
    if not ratios:
        said = "Two lists that overlap both near sites and beyond are needed, and the data have none."
        return CheckResult("capture-recapture", threat, None, table, said)
    passed = max(ratios) < excess.ratio if at.rejects else None
    said = f"Reports near sites are up to {max(ratios):.2f} times as complete as beyond; the excess ratio is {excess.ratio:.2f}."
    return CheckResult("capture-recapture", threat, passed, table, said)
