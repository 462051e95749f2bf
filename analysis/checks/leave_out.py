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
MOST = 200  # buildings left out in turn: those that carry most, where more have strikes near


def leave_out(at: Scene) -> CheckResult:
    """Leave out one attack, source, year, weapon or building at a time.

    The baseline of the score is refitted to what is left; places are drawn from the primary null. Buildings whose neighbourhood holds no
    strike are kept, and of more than 200 others those that carry least. Cost: draws × strikes for all attacks together, and for each other
    group and building left out, for which there is an FFT pair too.
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
    rows: list[Array] = []
    for by, labels in columns.items():
        for label in pd.unique(labels[at.weights > 0]):
            left = np.where(labels == label, 0.0, at.weights)
            if left.any():
                names.append((by, str(label)))
                rows.append(left)
    values += [*at.alike(at.scores(at.planned, np.array(rows)).p)] if rows else []
    sites, points = at.design.sites, at.design.points
    distance, nearest = sites.nearest(points.easting, points.northing)
    near = (distance <= REACH * at.decay.scale) & (at.weights > 0)
    carried = np.bincount(nearest[near], (at.weights * at.decay(distance))[near], sites.n)
    carries = np.sort(np.argsort(-carried, kind="stable")[: min(MOST, np.count_nonzero(carried))]) if sites.n > 1 else np.empty(0, np.intp)
    by = "building" if len(carries) < MOST else f"building of the {MOST} that carry most"
    for k in carries:
        phi = at.phi(at.decay, at.estimator, sites.subset(np.arange(sites.n) != k))
        values.append(at.alike(at.scores(phi).p)[0])
        names.append((by, _name(sites.marks, int(k))))
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
