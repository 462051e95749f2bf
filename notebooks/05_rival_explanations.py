# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %%
from pathlib import Path

import pandas as pd
from IPython.display import Markdown, display

from analysis.aim import explain
from analysis.baseline import Kernel
from analysis.proximity import build_design
from analysis.sources import load_study, read_plan
from analysis.timing import when

root = Path.cwd() if Path("data/hand").is_dir() else Path.cwd().parent
plan = read_plan(root / "data/plan.toml").quick()
study = load_study(root / "data/hand", plan)
design = build_design(study, plan)
baseline = design.null(Kernel(design.grid, plan.primary.bandwidth_m)).intensity
found = explain(study, plan, design, baseline, rng=1)
claims = pd.DataFrame(found.claims)
untested = claims["verdict"].str.startswith("cannot").sum()
display(
    Markdown(
        "**Which explanation do the strikes near the mission that prompted the study support?** "
        f"Of {len(claims)} claims {untested} cannot be tested with these data, for the reasons listed below; where a position is known, it is not known "
        "finely enough to tell the mission from what stands beside it."
    )
)

# %% [markdown]
# ## The claims, one by one
# What was claimed, the chance of some strike that near by the baseline, and why it can or cannot be tested.

# %%
claims.assign(why=claims["reasons"].str.join("; "))[["claim_id", "date", "distance_m", "chance_this", "chance_some", "verdict", "why"]].round(3)

# %% [markdown]
# ## What stands beside it
# Distances from the mission to the edges of places that could themselves have been aimed at.

# %%
pd.DataFrame(claims["aim_points"].iloc[0])

# %% [markdown]
# ## Aim at the mission over each rival
# Thick: the claimed distance taken as exact. Thin: the position as the data hold it; these lines lie near 1, which is to say they decide nothing.

# %%
from analysis.figures import draw_ratios, figure

single = [c for c in found.to_dict()["comparisons"] if c["claim"]]
panels = len({c["claim"] for c in single})
with figure(3.2 * panels, 4.6, source=study.credit, panels=panels) as drawing:
    draw_ratios(single, drawing.axes)
drawing.figure

# %% [markdown]
# ## With and without aim points in the baseline
# The plant near the embassy is the test of the whole approach: put it into the baseline and see what is left.

# %%
pd.DataFrame(found.aim_baselines)[["baseline", "aim_points", "statistic", "p_value", "focus_observed", "focus_expected"]].round(3)

# %% [markdown]
# ## When
# Questions of time, each with its answer or the reason why there is none.

# %%
timing = when(study, plan, design, rng=2)
rows = pd.DataFrame(timing.rows)
rows.assign(answer=rows["reason"].where(~rows["identifiable"], rows["measure"]))[["question", "answer", "value", "p_value", "n"]].round(3)

# %%
from analysis.figures import draw_near_repeats, draw_timing

with figure(9.6, 3.8, source=study.credit, panels=2) as drawing:
    draw_timing(timing, drawing.ax, sites="mission buildings")
    draw_near_repeats(timing, drawing.axes[1])
drawing.figure

# %% [markdown]
# ## What this cannot show
# A likelihood ratio is not the probability of an explanation; that needs prior odds, which no data here give. Intent is not among the explanations.
