"""Edge corrections: the weight of a pair is one over the part of its surroundings that the window lets one see."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..pattern import Window, circle_share, window_overlap

Array = NDArray[np.float64]
Correction = Literal["border", "translate", "isotropic"] | None
LARGEST = 100.0  # weights are kept at or below this, as spatstat does: a pair seen in under 1 % of its positions says little


def isotropic_weights(window: Window, origin: Array, distance: Array) -> Array:
    """Give 1 / (share of the circle around each origin, through its pair's other point, that lies in the window).

    Parameters
    ----------
    window : Window
    origin : (n, 2) array
    distance : (n,) array
    """
    return 1 / np.maximum(circle_share(window, origin[:, 0], origin[:, 1], distance), 1 / LARGEST)


def translation_weights(window: Window, east: Array, north: Array) -> Array:
    """Give |W| / |W ∩ (W + h)| for each shift h."""
    return window.area / np.maximum(window_overlap(window, east, north), window.area / LARGEST)
