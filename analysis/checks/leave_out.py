"""Leave one out: attacks, sources, years, buildings; and the prompting events put back in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..inference import format_p
from .scene import CheckResult, Scene

Array = NDArray[np.float64]
REACH = 2.0  # in scales of the decay: a building with no strike this near cannot carry the finding
MOST = 100  # sources, or buildings, left out in turn: where there are more, those that carry most of the nearness


def leave_out(at: Scene) -> CheckResult:
    """Leave out one attack, source, year, weapon or building at a time.

    The baseline of the score is refitted to what is left; places are drawn from the primary null. Buildings whose neighbourhood holds no
    strike are kept, and of more than 100 sources or buildings those that carry least. Cost: draws × strikes for all attacks together, for
    each other group, and for each building left out, for which there is an FFT pair too.
    """
    columns: dict[str, NDArray[Any]] = {"year": pd.to_datetime(at.marks("date")).dt.year.to_numpy()}
    marks = at.design.points.marks
    assert marks is not None
    also = {"source": "source_publisher", "weapon": "weapon_class"}
    columns |= {name: marks[column].to_numpy() for name, column in also.items() if column in marks}
    attacks = np.flatnonzero(np.bincount(at.unit, at.weights) > 0)
    names: list[tuple[str, str]] = []
    values: list[float] = []
    if len(attacks) > 1:
        labels = at.design.attack[np.unique(at.unit, return_index=True)[1]]
        names += [("attack", str(label)) for label in labels[attacks]]
        values += [*at.alike(at.without_each(at.planned)[attacks])]
    sites, points = at.design.sites, at.design.points
    distance, nearest = sites.nearest(points.easting, points.northing)
    nearness = at.weights * at.decay(distance)
    rows: list[Array] = []
    for by, labels in columns.items():
        code, found = pd.factorize(labels, use_na_sentinel=False)
        used = np.bincount(code, at.weights) > 0
        for k in _most(np.bincount(code, nearness), used):
            left = np.where(code == k, 0.0, at.weights)
            if left.any():
                names.append((_by(by, int(used.sum())), str(found[k])))
                rows.append(left)
    values += [*at.alike(at.scores(at.planned, np.array(rows)).p)] if rows else []
    near = (distance <= REACH * at.decay.scale) & (at.weights > 0)
    held = np.bincount(nearest[near], minlength=sites.n) > 0
    for k in _most(np.bincount(nearest, nearness, sites.n), held) if sites.n > 1 else ():
        phi = at.phi(at.decay, at.estimator, sites.subset(np.arange(sites.n) != k))
        values.append(at.alike(at.scores(phi).p)[0])
        names.append((_by("building", int(held.sum())), _name(sites.marks, int(k))))
    frame = pd.DataFrame(names, columns=["by", "left_out"]).assign(p_value=values)
    frame["stands"] = at.stands(frame["p_value"])
    table: list[dict[str, Any]] = []
    for by in frame["by"].unique():
        group = frame[frame["by"] == by]
        p = group["p_value"].to_numpy(float)
        worst = group["left_out"].iloc[int(p.argmax() if at.rejects else p.argmin())]
        overturning = int((~group["stands"]).sum())
        table.append({"left_out": f"one {by}", "groups": len(group), "smallest_p": p.min(), "largest_p": p.max(),
                      "overturning": overturning, "worst": worst})  # fmt: skip
    bad = [row for row in table if row["overturning"]]
    listed = "; ".join(f"{row['left_out']}: {row['overturning']} of {row['groups']} (most: {row['worst']})" for row in bad)
    said = "Leaving any one of them out leaves the answer as it is."
    if bad:
        said = f"Leaving one out puts p {at.other_side} the level for {listed}."
    return CheckResult("leave one out", "One attack, source, year, weapon or building carries the finding.", not bad, tuple(table), said)


def _most(carried: NDArray[Any], use: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give the groups in use that carry most, in their order."""
    return np.sort(np.argsort(np.where(use, -carried, np.inf), kind="stable")[: min(MOST, int(use.sum()))])


def _by(name: str, groups: int) -> str:
    return name if groups <= MOST else f"{name} of the {MOST} that carry most"


def _name(marks: pd.DataFrame | None, k: int) -> str:
    return str(k) if marks is None or "names" not in marks else str(marks["names"].iloc[k])


def prompting_events(at: Scene) -> CheckResult:
    """Add back the strikes that prompted the study: a comparison, not a test, because they were chosen for being near."""
    n = int((at.weights == 0).sum())
    threat = "The answer hangs on whether the events that prompted the study are held out."
    if n == 0:
        return CheckResult("prompting events", threat, None, (), "No strike was held out.")
    out, back = at.alike(at.scores(at.planned, np.array([at.weights, at.design.weights])).p)
    table = ({"strikes": "prompting events held out", "p_value": out}, {"strikes": "prompting events added back", "p_value": back})
    passed = bool(at.stands(back))
    said = f"With the {n} prompting events added back, p = {format_p(back)}{'' if passed else f', {at.other_side} the level'}."
    return CheckResult("prompting events", threat, passed, table, said)
