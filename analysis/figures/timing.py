"""When strikes fell near sites and elsewhere, with the notifications."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..timing import Timing
from .style import BAND, INK, SITE, STRIKE


def draw_timing(timing: Timing, ax: Axes, *, sites: str = "sites") -> Axes:
    """Draw the share of located strikes that had fallen by each day, near sites and elsewhere; bands are notifications.

    The number located falls over time, near sites as elsewhere, so only the distance between the two lines speaks.
    """
    date, near = timing.events["date"].to_numpy("datetime64[D]"), timing.events["near"].to_numpy(bool)
    kinds = ((near, f"within {timing.radius:,.0f} m of {sites}", STRIKE, "-"), (~near, "elsewhere", SITE, "--"))
    first, last = date.min(), date.max()
    for keep, label, colour, dash in kinds:
        if keep.any():
            days = np.sort(date[keep])
            share = np.r_[0, np.arange(1, len(days) + 1) / len(days), 1]
            ax.step(np.r_[first, days, last], share, where="post", color=colour, ls=dash, lw=2, label=f"{label} ({len(days)})")
    for row in timing.notified:
        if row["date_from"] is not None:
            left, right = np.array([row["date_from"], row["date_to"]], "datetime64[D]").astype(float)  # matplotlib's days, from 1970 too
            ax.axvspan(left, right + 1, color=BAND, lw=0, zorder=0)
            ax.annotate(row["id"], (left, 1.01), fontsize=9, color=INK, annotation_clip=False)
    ax.set_ylim(0, 1)
    ax.set_xlabel("date")
    ax.set_ylabel("share of located strikes fallen by then")
    ax.legend(loc="lower right", fontsize=9)
    return ax
