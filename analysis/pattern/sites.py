"""Sites: the protected places whose surroundings are examined."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from .errors import InputError, refuse_rows
from .grid import Grid
from .points import PointPattern

_DISTANCES: WeakKeyDictionary[Sites, WeakKeyDictionary[Grid, NDArray[np.float64]]] = WeakKeyDictionary()


class Sites(PointPattern):
    """Hold protected sites (missions, hospitals, schools) in a window.

    Takes the same arguments as :class:`PointPattern`.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> from analysis.pattern import Window
    >>> Sites([0, 10], [0, 0], Window(box(0, 0, 10, 10))).distance([3, 9], [4, 0])
    array([5., 1.])
    """

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(np.column_stack([self.easting, self.northing]))

    def distance(self, easting: ArrayLike, northing: ArrayLike) -> NDArray[np.float64]:
        """Give the distance from each point to the nearest site, of the shape given. Cost: n log m.

        Raises
        ------
        InputError
            If there are no sites.
        """
        return self.nearest(easting, northing)[0]

    def nearest(self, easting: ArrayLike, northing: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Give the distance to, and the index of, the nearest site, each of the shape given.

        Raises
        ------
        InputError
            If there are no sites.
        """
        if self.n == 0:
            raise InputError("there are no sites")
        e, y = np.broadcast_arrays(np.asarray(easting, float), np.asarray(northing, float))
        distance, index = self._tree.query(np.stack([e, y], axis=-1))
        return np.asarray(distance, float), np.asarray(index, np.intp)

    def distance_in(self, grid: Grid) -> NDArray[np.float64]:
        """Give the distance from each cell centre of the window to the nearest site, infinite outside. Kept while the grid lives."""
        kept = _DISTANCES.setdefault(self, WeakKeyDictionary())
        if grid not in kept:
            e, n = grid.centres
            result = np.full(grid.shape, np.inf)
            result[grid.inside] = self.distance(e[grid.inside], n[grid.inside])
            result.flags.writeable = False
            kept[grid] = result
        return kept[grid]

    def buildings(self, by: str = "building_id") -> Sites:
        """Collapse sites that share a building into one, at the mean of their positions.

        Several missions in one house are one place that can be struck: six were on 2024-12-20.

        Raises
        ------
        InputError
            If the mark ``by`` is missing, or a site has none.
        """
        if self.marks is None or by not in self.marks:
            raise InputError("sites need this mark to be collapsed to buildings", column=by)
        refuse_rows(self.marks[by].isna(), "every site needs its building", column=by)
        frame = self.marks.assign(_e=self.easting, _n=self.northing)
        frame["_name"] = frame["sending_state" if "sending_state" in frame else by].astype(str)
        columns = {"sites": ("_e", "size"), "names": ("_name", lambda s: ", ".join(sorted(set(s))))}
        columns |= {"_e": ("_e", "mean"), "_n": ("_n", "mean")}
        if "uncertainty_m" in frame:
            columns["uncertainty_m"] = ("uncertainty_m", "max")
        marks = frame.groupby(by, sort=True).agg(**columns).reset_index()
        return Sites(marks.pop("_e"), marks.pop("_n"), self.window, marks)
