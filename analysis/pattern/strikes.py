"""Strikes: one row for each place struck, located to a point or known only to an area."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import InputError, refuse_rows
from .points import PointPattern
from .window import Window

COLUMNS = ("strike_id", "date", "attack_id", "support", "easting", "northing", "uncertainty_m", "area", "selection")


class Strikes:
    """Hold the clean strike table.

    Parameters
    ----------
    frame : DataFrame
        The columns of ``COLUMNS`` and any others. ``support`` is ``point`` or ``area``; area rows have no
        coordinates, only the name of their ``area`` (a raion in Kyiv). ``uncertainty_m`` is the standard deviation of the
        location error on each axis. ``selection`` is ``systematic`` or ``prompting``.
    window : Window

    Raises
    ------
    InputError
        For a missing column, no strikes, a repeated id, an unknown support or selection, a point row without coordinates or uncertainty,
        an area row with coordinates, a negative uncertainty, or a point outside the window.
    """

    def __init__(self, frame: pd.DataFrame, window: Window) -> None:
        missing = [name for name in COLUMNS if name not in frame]
        if missing:
            raise InputError("strikes need this column", column=missing[0])
        if len(frame) == 0:
            raise InputError("there are no strikes")
        frame = frame.reset_index(drop=True)
        point = (frame["support"] == "point").to_numpy()
        placed = frame[["easting", "northing", "uncertainty_m"]].notna().to_numpy()
        unfit = np.where(point, ~placed.all(axis=1), placed[:, :2].any(axis=1))
        for column, wrong, rule in (
            ("strike_id", frame["strike_id"].duplicated(), "the id must be unique"),
            ("support", ~frame["support"].isin(["point", "area"]), "must be point or area"),
            ("selection", ~frame["selection"].isin(["systematic", "prompting"]), "must be systematic or prompting"),
            ("support", unfit, "a point row needs coordinates and an uncertainty, an area row must have no coordinates"),
            ("uncertainty_m", frame["uncertainty_m"].to_numpy(float) < 0, "must not be negative"),
        ):
            refuse_rows(wrong, rule, column=column, values=frame[column])
        outside = point.copy()
        outside[point] = ~window.contains(frame["easting"][point], frame["northing"][point])
        refuse_rows(outside, "the point lies outside the window", values=frame["strike_id"])
        self.frame, self.window = frame, window

    @property
    def n(self) -> int:
        """Number of strikes, points and areas together."""
        return len(self.frame)

    @property
    def n_attacks(self) -> int:
        """Number of attacks."""
        return int(self.frame["attack_id"].nunique())

    def located(self, max_uncertainty: float) -> NDArray[np.bool_]:
        """Say which strikes are points known to ``max_uncertainty`` (metres) or better."""
        fine = self.frame["uncertainty_m"].to_numpy(float) <= max_uncertainty
        return (self.frame["support"] == "point").to_numpy() & fine

    def subset(self, keep: NDArray[np.bool_]) -> Strikes:
        """Keep some strikes.

        Raises
        ------
        InputError
            If none is kept.
        """
        return Strikes(self.frame[keep], self.window)

    def points(self, keep: NDArray[np.bool_]) -> PointPattern:
        """Give some point rows as a pattern, the other columns as marks."""
        rows = self.frame[keep].reset_index(drop=True)
        return PointPattern(rows["easting"], rows["northing"], self.window, rows.drop(columns=["easting", "northing"]))

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        return f"Strikes(n={self.n}, attacks={self.n_attacks})"
