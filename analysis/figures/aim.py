"""Likelihood ratios of rival explanations along the CEP."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .style import BAND, INK, SITE, STRIKE

SHOWN = 1e-3, 1e5  # ratios beyond are drawn at the rim
LOOKS = {"background": (STRIKE, "-"), "debris": ("#999999", "-."), "wrong address": (SITE, ":")}


def draw_ratios(comparisons: list[dict[str, Any]], axes: list[Axes]) -> list[Axes]:
    """Draw, for each claim, the ratio of aim at the site over each rival against the CEP (metres): as claimed, and as located in the data.

    Parameters
    ----------
    comparisons : list of dict
        Those of :class:`~analysis.aim.Explanations` that are about one claim.
    axes : list of Axes
        One for each claim, in order.
    """
    claims = sorted({c["claim"] for c in comparisons})
    for claim, ax in zip(claims, axes, strict=True):
        for c in [c for c in comparisons if c["claim"] == claim]:
            exact, log = c["basis"] == "as claimed", np.asarray(c["along_cep"], float)
            for k, name in enumerate(c["names"][1:], 1):
                colour, dash = LOOKS.get(name, (INK, "--"))
                ratio = np.clip(np.exp(np.clip(log[0] - log[k], -50, 50)), *SHOWN)
                label = f"over {name}" if exact else None
                ax.plot(c["cep"], ratio, color=colour, ls=dash, lw=2.0 if exact else 0.8, alpha=1.0 if exact else 0.7, label=label)
        ax.axvspan(c["cep_low"], c["cep_high"], color=BAND, alpha=0.35, lw=0, zorder=0)
        ax.axhline(1, color="#888888", lw=0.8)
        ax.set(xscale="log", yscale="log", xlim=(1, 5000), ylim=SHOWN, title=claim, xlabel="CEP (m)")
        ax.minorticks_off()
    axes[0].set_ylabel("likelihood ratio of aim at the site")
    handles, labels = axes[0].get_legend_handles_labels()
    axes[0].figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=8)
    return axes
