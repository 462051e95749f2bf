"""When strikes fell near sites and elsewhere, with the notifications; and which strikes repeat near in space and time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter

from ..timing import Timing
from .style import BAND, INK, SITE, STRIKE


def draw_timing(timing: Timing, ax: Axes, *, sites: str = "sites") -> Axes:
    """Draw the share of located strikes that had fallen by each day, near sites and elsewhere; bands are notifications.

    How many are located changes over time, near sites as elsewhere, so only the distance between the two lines speaks.
    """
    days = np.array([row["date"] for row in timing.days], "datetime64[D]")
    for kind, label, colour, dash in (
        ("near", f"within {timing.radius:,.0f} m of {sites}", STRIKE, "-"),
        ("elsewhere", "elsewhere", SITE, "--"),
    ):
        fallen = np.cumsum([row[kind] for row in timing.days])
        if fallen[-1]:
            share = np.r_[0, fallen / fallen[-1]]
            ax.step(np.r_[days[0], days], share, where="post", color=colour, ls=dash, lw=2, label=f"{label} ({fallen[-1]})")
    for row in timing.notified:
        if row["date_from"] is not None:
            left, right = np.array([row["date_from"], row["date_to"]], "datetime64[D]").astype(float)  # matplotlib's days, from 1970 too
            ax.axvspan(left, right + 1, color=BAND, lw=0, zorder=0)
            ax.annotate(row["id"], (left, 1.01), fontsize=9, color=INK, annotation_clip=False)
    ax.set_ylim(0, 1)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))  # type: ignore[no-untyped-call]
    ax.set_xlabel("date")
    ax.set_ylabel("share of located strikes fallen by then")
    ax.legend(loc="lower right", fontsize=9)
    return ax


def draw_near_repeats(timing: Timing, ax: Axes) -> Axes:
    """Map pairs of strikes of different attacks by distance and interval: observed over expected, in bold where max-T rejects."""
    bands = pd.DataFrame(timing.near_repeat)
    ratio, pairs, p = (bands.pivot(index="distance_to", columns="interval_to", values=name) for name in ("ratio", "observed", "p_after"))
    shade = ratio.clip(upper=4).fillna(1.0)  # no pair expected: no ratio, shaded as 1
    words = ratio.map(lambda value: "–" if np.isnan(value) else f"{value:.2g}") + pairs.map("\n{:.0f}".format)
    sns.heatmap(shade, annot=words, fmt="", cmap="Blues", vmin=0, vmax=5, cbar=False, annot_kws={"fontsize": 8}, ax=ax)
    for label, p_after in zip(ax.texts, p.to_numpy().ravel(), strict=True):
        label.set_fontweight("bold" if p_after <= 1 - timing.level else "normal")
    ax.invert_yaxis()  # the nearest at the bottom
    ax.set_xticks(ax.get_xticks(), [f"{end:,.0f}" for end in ratio.columns])
    ax.set_yticks(ax.get_yticks(), [f"{end:,.0f}" for end in ratio.index], rotation=0)
    ax.set_xlabel("attacks apart by up to (days)")
    ax.set_ylabel("strikes apart by up to (m)")
    ax.set_title("pairs of strikes: observed / expected, and number", fontsize=10)
    return ax
