"""What is believed about each weapon's CEP before its misses are looked at: the published claims, each with equal weight."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..pattern import InputError
from .miss import _positive

Array = NDArray[np.float64]
GRID = np.geomspace(1.0, 5000.0, 49)  # CEPs at which everything is evaluated: 19 % apart
NOT_A_CEP = "not a CEP"  # a published figure whose note says this is shown and not used
# the classes of strikes.csv in those of weapons.csv; a missile of unknown type may be any but a drone
CLASSES = {
    "ballistic": ("ballistic", "aeroballistic"),
    "hypersonic": ("aeroballistic", "hypersonic_cruise"),
    "cruise": ("cruise",),
    "drone": ("one_way_drone",),
    "missile": ("ballistic", "aeroballistic", "cruise", "hypersonic_cruise", "sam_ground_mode"),
}
CLASSES["unknown"] = (*CLASSES["missile"], *CLASSES["drone"])


@dataclass(frozen=True, eq=False)
class CepPrior:
    """Hold a discrete distribution of the CEP (metres), and the claims it rests on: weapon, low, high, publisher, whether it was read."""

    weapon: str
    cep: Array
    weight: Array
    claims: tuple[tuple[str, float, float, str, bool], ...]

    @property
    def low(self) -> float:
        """The smallest figure used."""
        return min(c[1] for c in self.claims)

    @property
    def high(self) -> float:
        """The largest figure used."""
        return max(c[2] for c in self.claims)


def cep_prior(weapons: pd.DataFrame, weapon: str, *, pooled: bool = False) -> CepPrior:
    """Turn the published claims about a weapon into a prior over its CEP.

    Published figures differ by a factor of ten and more, and no study weighs them, so each claim counts the same and is log-uniform between
    its own bounds. Claims from memory (``seen_here`` false) count too, since leaving them out would leave most weapons with none.

    Parameters
    ----------
    weapons : DataFrame
        Columns of ``weapons.csv``.
    weapon : str
        A class of strike ("ballistic", "unknown"), or text that names weapons ("Iskander-type missile").
    pooled : bool
        Log-uniform from the smallest to the largest figure instead.

    Returns
    -------
    CepPrior

    Raises
    ------
    InputError
        If no figure is published for it, one is not positive, a lower bound is above the upper, or a claim lies outside 1 to 5000 m.
    """
    if weapon in CLASSES:
        chosen = weapons["class"].isin(CLASSES[weapon])
    else:
        names = weapons["weapon"].map(lambda name: re.split(r"[-\s/]", str(name))[0])
        chosen = names.map(lambda name: bool(re.search(rf"\b{re.escape(name)}\b", weapon)))
        if not chosen.any():
            kind = next((k for word, k in (("drone", "drone"), ("missile", "missile")) if word in weapon.lower()), None)
            chosen = weapons["class"].isin(CLASSES[kind] if kind else ())
    figures = weapons[["cep_m_low", "cep_m_high"]].notna().all(axis=1) & ~weapons["note"].fillna("").str.contains(NOT_A_CEP, regex=False)
    rows = weapons[chosen & figures]
    if rows.empty:
        raise InputError("no CEP is published for this weapon", file="weapons.csv", column="weapon", value=weapon)
    low, high = _positive("cep_m_low", rows["cep_m_low"]), _positive("cep_m_high", rows["cep_m_high"])
    if (low > high).any():
        raise InputError("must not be below cep_m_low", file="weapons.csv", column="cep_m_high", value=high[low > high][0])
    claims = tuple(zip(rows["weapon"], low, high, rows["source_publisher"], rows["seen_here"].astype(bool), strict=True))
    if pooled:
        low, high = low.min(keepdims=True), high.max(keepdims=True)
    half = 0.5 * np.log(GRID[1] / GRID[0])
    cells = np.log(GRID)
    start, end = np.log(low)[:, None], np.log(high)[:, None]
    share = np.maximum(np.minimum(cells + half, end) - np.maximum(cells - half, start), 0.0)
    point = (end - start)[:, 0] < 1e-9
    share[point] = np.abs(cells - start[point]) == np.abs(cells - start[point]).min(axis=1, keepdims=True)
    if not (share.sum(axis=1) > 0).all():
        raise InputError(f"must lie between {GRID[0]:g} and {GRID[-1]:g} m", file="weapons.csv", column="cep_m_low", value=low.min())
    return CepPrior(weapon, GRID, (share / share.sum(axis=1, keepdims=True)).mean(axis=0), claims)
