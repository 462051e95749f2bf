"""One look for every figure: colours that survive greyscale and colour-blindness, and room for a source line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito (2008), ordered from dark to light so that they differ in grey as well
INK, STRIKE, SITE, AIM, BAND = "#222222", "#D55E00", "#0072B2", "#000000", "#BBD5E8"
RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": INK,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 144,
    "svg.hashsalt": "mission-strike-proximity",  # ids in SVG files would differ from run to run
}


class Drawing:
    """Hold a figure while it is drawn, and its bytes afterwards."""

    def __init__(self, width: float, height: float, panels: int) -> None:
        self.figure = Figure(figsize=(width, height), layout="constrained")
        self.axes: list[Axes] = list(self.figure.subplots(1, panels, squeeze=False)[0])
        self.ax = self.axes[0]
        self.png = b""
        self.svg = b""


@contextmanager
def figure(width: float = 7.2, height: float = 4.4, *, source: str = "", panels: int = 1) -> Iterator[Drawing]:
    """Give an Axes in the house style; on leaving, PNG and SVG bytes are in the drawing. Nothing is written.

    Parameters
    ----------
    width, height : float
        Inches.
    source : str
        The source line under the figure.
    panels : int
        Axes side by side.
    """
    with mpl.rc_context(dict[Any, Any]({**sns.axes_style("ticks"), **RC})):
        drawing = Drawing(width, height, panels)
        yield drawing
        if source:
            drawing.figure.supxlabel(source, fontsize=7.5, color="#555555", x=0.01, ha="left")
        for kind in ("png", "svg"):
            target = io.BytesIO()
            drawing.figure.savefig(target, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})
            setattr(drawing, kind, target.getvalue())
            drawing.figure.set_layout_engine("none")  # laid out once is enough
