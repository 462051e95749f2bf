"""The events behind the numbers: which strikes were kept, which are near, and what else stands beside the sites."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from ..pattern import Plan, Sites, Study
from .design import Design

SHOWN = ("strike_id", "date", "place", "area", "weapon_class", "mechanism", "uncertainty_m", "source_publisher", "source_url")


def nearest_aim_point(study: Study, sites: Sites) -> dict[str, Any]:
    """Name the aim point whose edge is nearest to any of the sites, and that distance."""
    if study.aim_points is None or study.aim_points.empty:
        return {"aim_point": None, "aim_distance_m": None}
    aim = study.aim_points
    radius = aim["radius_m"].to_numpy(float) if "radius_m" in aim else np.zeros(len(aim))
    apart = np.hypot(sites.easting[:, None] - aim["easting"].to_numpy(float), sites.northing[:, None] - aim["northing"].to_numpy(float))
    edge = np.maximum(apart - radius, 0.0).min(axis=0)
    return {"aim_point": str(aim["name"].iloc[int(edge.argmin())]), "aim_distance_m": float(edge.min())}


def flow(study: Study, plan: Plan, design: Design) -> list[dict[str, Any]]:
    """Count the strikes and attacks that each step of the plan leaves."""
    frame = study.strikes.frame
    kept = frame["selection"] == "systematic"
    point = kept & (frame["support"] == "point")
    return [
        {"step": "strikes in the window", "strikes": len(frame), "attacks": int(frame["attack_id"].nunique())},
        {"step": "systematic (prompting events held out)", "strikes": int(kept.sum()),
         "attacks": int(frame["attack_id"][kept].nunique())},
        {"step": "of these with coordinates", "strikes": int(point.sum()), "attacks": int(frame["attack_id"][point].nunique())},
        {"step": f"of these located to {plan.strikes.located_max_m:g} m or better", "strikes": design.points.n,
         "attacks": len(set(design.attack))},
    ]  # fmt: skip


def near_aim_points(study: Study, design: Design, radius: float) -> int | None:
    """Count tested sites within the radius of the centre of a place that could itself have been aimed at; None where none is given."""
    if study.aim_points is None or study.aim_points.empty:
        return None
    aim = study.aim_points[["easting", "northing"]].to_numpy(float)
    sites = np.column_stack([design.sites.easting, design.sites.northing])
    return int((cKDTree(aim).query(sites)[0] <= radius).sum())


def site_error(design: Design) -> float | None:
    """Give the largest location error of a tested site (metres), if it is known."""
    marks = design.sites.marks
    return None if marks is None or "uncertainty_m" not in marks else float(marks["uncertainty_m"].max())


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    shown = frame[[name for name in SHOWN if name in frame]].copy()
    shown["date"] = pd.to_datetime(frame["date"]).dt.strftime("%Y-%m-%d")
    return [{str(key): value for key, value in row.items()} for row in shown.to_dict("records")]


def near_events(study: Study, design: Design, radius: float) -> list[dict[str, Any]]:
    """List the located strikes within a radius of a tested site, nearest first, with their sources."""
    points, sites = design.points, design.sites
    assert points.marks is not None
    distance, index = sites.nearest(points.easting, points.northing)
    names = sites.marks["names"] if sites.marks is not None and "names" in sites.marks else pd.Series(map(str, range(sites.n)))
    order = [int(i) for i in np.argsort(distance, kind="stable") if distance[i] <= radius]
    rows = _rows(points.marks)
    return [{**rows[i], "distance_m": float(distance[i]), "nearest": names[index[i]], "weight": float(design.weights[i])} for i in order]


def held_out_events(study: Study) -> list[dict[str, Any]]:
    """List the strikes that prompted the study."""
    return _rows(study.strikes.frame[study.strikes.frame["selection"] == "prompting"])
