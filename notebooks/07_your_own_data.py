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
import tempfile
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from shapely.geometry import box

from analysis.checks import Run
from analysis.proximity import Decay, build_design
from analysis.sources import own_study, read_plan

root = Path.cwd() if Path("data/hand").is_dir() else Path.cwd().parent
folder = Path(tempfile.mkdtemp())
draw = np.random.default_rng(5)
gpd.GeoDataFrame(geometry=[box(20.0, 45.0, 20.2, 45.15)], crs=4326).to_file(folder / "city.geojson")
pd.DataFrame({"name": [f"hospital {k}" for k in range(12)], "longitude": draw.normal(20.1, 0.03, 12), "latitude": draw.normal(45.07, 0.02, 12)}).to_csv(
    folder / "hospitals.csv", index=False
)
pd.DataFrame(
    {"date": pd.date_range("2024-01-01", periods=120).strftime("%Y-%m-%d"), "longitude": draw.normal(20.1, 0.035, 120).clip(20.001, 20.199),
     "latitude": draw.normal(45.07, 0.025, 120).clip(45.001, 45.149), "uncertainty_m": 80}
).to_csv(folder / "strikes.csv", index=False)  # fmt: skip
plan = replace(read_plan(root / "data/plan.toml").quick(), site_word="hospital", name="A city of our own, hospitals")
study = own_study("Town", folder / "strikes.csv", folder / "hospitals.csv", folder / "city.geojson", plan)
run = Run.of(plan, build_design(study, plan))
test = run.test(Decay(plan.primary.decay, plan.primary.scale_m), (0,))[0]
display(
    Markdown(
        f"**Do strikes fall near hospitals in another city?** In this made-up one, with {study.strikes.n} strikes read from a CSV and {study.sites.n} "
        f"hospitals from another, p = {test.p_value:.2f}; both were drawn about one centre with no excess."
    )
)

# %% [markdown]
# ## The two files
# Strikes need a date, a position and how well it is known; sites need a position. Other column names, dates and decimal commas are named in the plan.

# %%
pd.read_csv(folder / "strikes.csv").head(3)

# %%
pd.read_csv(folder / "hospitals.csv").head(3)

# %% [markdown]
# ## The map

# %%
from analysis.figures import draw_map, figure

with figure(7, 6, source="Simulated.") as drawing:
    draw_map(study.window, run.design.points, run.design.sites, drawing.ax, baseline=run.null.intensity, site_label="hospitals", bar_km=2)
drawing.figure

# %% [markdown]
# ## Another radius
# Choices are data: a plan with another scale is another plan, with another hash, and a size that has to be measured anew.

# %%
wider = replace(plan, primary=replace(plan.primary, scale_m=1000.0))
again = Run.of(wider, build_design(study, wider))
print(again.test(Decay(wider.primary.decay, wider.primary.scale_m), (0,))[0])
print("same plan?", wider.digest == plan.digest)

# %% [markdown]
# ## Without files, in metres
# Any points, any sites, any window.

# %%
from analysis import PointPattern, Sites, Window
from analysis.baseline import Kernel
from analysis.proximity import decay_score_test

window = Window(box(0, 0, 20_000, 20_000))
schools = Sites([8_000, 11_500, 13_000], [9_000, 12_000, 7_500], window)
points = PointPattern(*draw.normal(10_000, 3_000, (2, 150)).clip(0, 20_000), window)
print(decay_score_test(points, schools, Decay("gaussian", 500), Kernel(window.grid(spacing=100), 1_500), n_simulations=999, rng=1))

# %% [markdown]
# ## The whole report
# One command writes the same report as for Kyiv; `--worlds` measures the size of the test for this study, without which the verdict is "not
# informative":
#
# `python -m analysis assess --strikes strikes.csv --sites hospitals.csv --window city.geojson --plan my.toml --worlds 200 --out somewhere`
#
# ## What this cannot show
# That your list of strikes is complete. If strikes near hospitals are reported more often than others, that alone gives an excess.
