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
import json
from pathlib import Path

import pandas as pd
from IPython.display import Markdown, display

from analysis import assess
from analysis.checks import Calibration
from analysis.sources import load_study, read_plan

root = Path.cwd() if Path("data/hand").is_dir() else Path.cwd().parent
plan = read_plan(root / "data/plan.toml").quick()
study = load_study(root / "data/hand", plan)
calibration = Calibration.from_dict(json.loads((root / "data/calibration/primary.json").read_text()))
found = assess(study, plan, calibration=calibration)
passed = [check.passed for check in found.checks]
display(
    Markdown(
        f"**What would overturn the answer “{found.verdict.answer}”?** Of {len(passed)} checks {passed.count(False)} put it on the other side of the "
        f"plan's rule, {passed.count(True)} leave it, and for {passed.count(None)} the data do not say."
    )
)

# %% [markdown]
# ## Every check
# Each is a rival explanation of the result, put to the data.

# %%
from analysis.figures import draw_checks, figure

with figure(8.4, 6.2, source=study.credit) as drawing:
    draw_checks(found.checks, drawing.ax)
drawing.figure

# %%
table = pd.DataFrame([{"check": c.name, "passed": c.passed, "found": c.text} for c in found.checks])
table[table["passed"].eq(False)].style.hide(axis="index")

# %% [markdown]
# ## The specification curve
# Every combination of defensible choices, in order of its p, and one p for all of them together. (The quick plan varies fewer choices.)

# %%
from analysis.figures import draw_specifications

curve = next(c for c in found.checks if c.name == "specification curve")
with figure(8.4, 7.0, source=study.credit) as drawing:
    draw_specifications(curve.table, plan.primary.level, drawing.ax)
drawing.figure

# %%
print(curve.text)

# %% [markdown]
# ## Leave one out
# One attack, source, year, weapon or building at a time.

# %%
pd.DataFrame(next(c for c in found.checks if c.name == "leave one out").table).round(3)

# %% [markdown]
# ## Reporting
# How much likelier would strikes near missions have to be reported for the excess to be nothing but that?

# %%
print(next(c for c in found.checks if c.name == "reporting").text)

# %% [markdown]
# ## What this cannot show
# Checks are those we thought of. One that passes removes one explanation; it does not prove another.
