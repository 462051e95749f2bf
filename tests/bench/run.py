"""`make bench`: one table of medians beside every peer that is installed, then what scale costs; docs/engine.md is written from them."""

from __future__ import annotations

import json
from pathlib import Path

import engine
import focused
import peers
import refit
import scale
from table import HEAD, Row, markdown

DOCS = Path(__file__).parents[2] / "docs"
PAGE = """# What it costs

Written by `make bench` (`tests/bench/`): ours and each peer on the same points, in one run, on one core; medians of fifteen calls (three above half a
second, one above ten). The ratio is the peer's time over ours. "Differs by" is the largest relative difference of the answers, left empty where
they are random. What is compiled on first use is compiled before (some 10 s, once for each installation).

Differences that are not rounding: spatstat reads a polygon's overlap with itself from a mask of 128 × 128 pixels, where ours is exact up to the
window's smallest feature (`analysis/pattern/overlap.py`); sparr bins adaptive bandwidths; at cells ours puts each strike into its cell before
smoothing, KDEpy shares it between four, scikit-learn does neither. spatstat's leave-one-out intensity and `bw.ppl` visit all pairs and are left
out at 100,000 points; its 999 draws are 9 draws, scaled. R's splancs is not among Debian's packages and was not compared.

![Seconds against the number of strikes](cost.png)

{table}

## A million strikes, a country

The primary test with its baseline, on one grid of 512 × 512 cells. Beyond 4e7 simulated strikes they are counted by level of the field
(`analysis/proximity/score_levels.py`), so that the cost of draws no longer grows with strikes.

![Seconds against strikes, sites, draws and cells](scale.png)

{scale}

The second table is the same test in tiles (`tiled_decay_score_test`): 1,000,000 strikes and 10,000 hospitals about 400 towns, cells of 100 m, 99 draws,
on a machine with two cores. Two workers and a dask cluster of two pay {crossover}.
"""


def crossover(tiles: dict[str, dict[str, dict[str, float]]]) -> str:
    """Say from where on the cluster is faster than one process, in every larger country too."""
    pays = [way["dask"]["seconds"] < way["this process"]["seconds"] for way in tiles.values()]
    first = next((k for k in range(len(pays)) if all(pays[k:])), None)
    if first is None:
        return "nowhere up to the largest country here"
    cells = (10 * int(list(tiles)[first])) ** 2
    return f"from {cells:,} cells on" if first else "at every size here"


def main() -> None:
    """Print the table row by row, then write the page and its figures."""
    print(HEAD)
    found = engine.results()
    table: list[Row] = []
    for rows in (engine.rows(found), focused.rows(), refit.rows(), peers.rows()):
        for row in rows:
            print(row, flush=True)
            table.append(row)
    sizes = scale.results()
    print(scale.page(sizes))
    (DOCS / "engine.md").write_text(PAGE.format(table=markdown(table), scale=scale.page(sizes), crossover=crossover(sizes["tiles"])))
    for name, content in (("cost", found), ("scale", sizes)):
        (DOCS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    (DOCS / "cost.png").write_bytes(engine.draw(found))
    (DOCS / "scale.png").write_bytes(scale.draw(sizes))


if __name__ == "__main__":
    main()
