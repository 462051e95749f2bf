"""Results drawn on matplotlib Axes: each function takes a result and an Axes and returns the Axes."""

from .aim import draw_ratios
from .charts import draw_curve, draw_null, draw_size
from .maps import PAPER, draw_map, draw_scan
from .power import power_curves, power_figure
from .sizes import size_dots, sizes_figure
from .style import figure
from .threats import draw_checks, draw_specifications
from .timing import draw_near_repeats, draw_timing

__all__ = [
    "PAPER",
    "draw_checks",
    "draw_curve",
    "draw_map",
    "draw_near_repeats",
    "draw_null",
    "draw_ratios",
    "draw_scan",
    "draw_size",
    "draw_specifications",
    "draw_timing",
    "figure",
    "power_curves",
    "power_figure",
    "size_dots",
    "sizes_figure",
]
