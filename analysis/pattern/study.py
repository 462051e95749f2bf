"""The study: everything that the plan is run on."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
from shapely.geometry import MultiPolygon, Polygon

from .sites import Sites
from .strikes import Strikes
from .window import Window

WHOLE = "window"  # the one area of a window that is not divided


@dataclass(frozen=True, eq=False)
class Study:
    """Bring a window, its strikes and its protected sites together.

    Parameters
    ----------
    name : str
        The place, as printed.
    window : Window
    strikes : Strikes
        With prompting events marked, not removed.
    sites : Sites
        All sites; the plan says which are tested. The primary test collapses those that share a building.
    areas : dict of polygons, optional
        The areas (raions) that area rows name, in the window's CRS.
    aim_points : DataFrame, optional
        Places that could themselves have been aimed at: name, easting, northing, radius_m, uncertainty_m.
    tables : dict of DataFrame
        Other coded facts, shown beside the result.
    sources : DataFrame, optional
        One row a file: file, sha256, rows.
    credit : str
        The source line under figures.
    """

    name: str
    window: Window
    strikes: Strikes
    sites: Sites
    areas: dict[str, Polygon | MultiPolygon] = field(default_factory=dict)
    aim_points: pd.DataFrame | None = None
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    sources: pd.DataFrame | None = None
    credit: str = ""

    @property
    def area_names(self) -> list[str]:
        """Names of the areas, in order; the whole window where it is not divided."""
        return list(self.areas) or [WHOLE]
