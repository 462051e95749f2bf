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

from IPython.display import Markdown, display

from analysis.proximity import build_design
from analysis.sources import load_study, read_plan

root = Path.cwd() if Path("data/hand").is_dir() else Path.cwd().parent
plan = read_plan(root / "data/plan.toml")
study = load_study(root / "data/hand", plan)
design = build_design(study, plan)
distance = design.sites.distance(design.points.easting, design.points.northing)
display(
    Markdown(
        "**How near to missions do strikes on Kyiv fall, before any comparison with chance?** "
        f"Of {study.strikes.n} coded strikes {design.points.n} are systematic and located; {(distance <= 500).sum()} of these lie within 500 m of "
        f"one of {design.sites.n} mission buildings. That alone says nothing: both stand in the centre."
    )
)

# %% [markdown]
# ## What was read
# Every row keeps its source; `data/README.md` is the dictionary. An area row names a raion only and has no coordinates.

# %%
study.sources.drop(columns="sha256")

# %%
study.strikes.frame[["strike_id", "date", "attack_id", "support", "area", "uncertainty_m", "place", "source_publisher"]].head()

# %% [markdown]
# ## Most strikes are not located, and which ones are is not chance
# The share located falls from year to year and is highest in the central raions that reports name.

# %%
frame = study.strikes.frame.assign(located=study.strikes.located(plan.strikes.located_max_m), year=study.strikes.frame["date"].dt.year)
frame.pivot_table(index="area", columns="year", values="located", aggfunc="mean").round(2).sort_values(2022, ascending=False)

# %% [markdown]
# ## On the map

# %%
from analysis.figures import draw_map, figure

with figure(8.4, 7.6, source="Facts: data/hand. Boundaries: © OpenStreetMap contributors, ODbL 1.0.") as drawing:
    draw_map(study.window, design.points, design.sites, drawing.ax, areas=study.areas, aim_points=study.aim_points)
drawing.figure

# %% [markdown]
# ## Distances to the nearest mission building
# Shown beside the distances of the window's cells: the naive comparison, which takes every square metre of the city as equally likely to be hit.

# %%
import numpy as np

cells = design.sites.distance(*design.grid.centres)[design.grid.inside]
with figure(source="Facts: data/hand.") as drawing:
    drawing.ax.ecdf(distance, color="#D55E00", label="located strikes")
    drawing.ax.ecdf(np.random.default_rng(1).choice(cells, 20_000), color="#0072B2", ls="--", label="anywhere in the city")
    drawing.ax.set(xlim=(0, 8000), xlabel="distance to the nearest mission building (m)", ylabel="share at or below")
    drawing.ax.legend()
drawing.figure

# %% [markdown]
# ## Held out
# Strikes on the date of a claim and within the plan's distance of the claim's mission prompted the study. They never enter the primary test.

# %%
study.strikes.frame.query("selection == 'prompting'")[["strike_id", "date", "place", "uncertainty_m", "source_publisher"]]
