"""Strikes in Parquet: partitions, more than memory, and every way of being wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.dataset import field
from pyproj import Transformer
from shapely.geometry import box

from analysis.pattern import InputError, Window, project
from analysis.sources import read_parquet_strikes


@pytest.fixture(scope="module")
def window():
    return Window(box(490_000, 4_990_000, 510_000, 5_010_000), 32634)


def strikes(n, seed=1):
    draw, to_degrees = np.random.default_rng(seed), Transformer.from_crs(32634, 4326, always_xy=True)
    e, y = to_degrees.transform(*draw.uniform([[480_000], [4_980_000]], [[520_000], [5_020_000]], (2, n)))
    return pd.DataFrame(
        {"longitude": e, "latitude": y, "weapon": draw.choice(["drone", "cruise"], n), "year": draw.integers(2022, 2026, n)}
    )


def test_partitions_give_what_the_whole_table_gives(tmp_path, window):
    frame = strikes(5000)
    frame.to_parquet(tmp_path / "data", partition_cols=["year"], index=False)
    found = read_parquet_strikes(tmp_path / "data", window, columns=["weapon", "year"])
    inside = window.contains(*project(frame["longitude"], frame["latitude"], window))
    assert found.n == inside.sum()
    expected = frame[inside].groupby(["weapon", "year"]).size()
    assert found.marks.astype({"year": int}).groupby(["weapon", "year"]).size().equals(expected)
    later = read_parquet_strikes(tmp_path / "data", window, where=field("year") >= 2024)
    assert later.n == (inside & (frame["year"] >= 2024)).sum()
    frame.to_parquet(tmp_path / "one.parquet")
    assert read_parquet_strikes(tmp_path / "one.parquet", window).n == found.n


READ = """
import json, sys
import pyarrow as pa
from pathlib import Path
from analysis.pattern import Window
from analysis.sources import read_parquet_strikes
from shapely.geometry import box
found = read_parquet_strikes(Path(sys.argv[1]), Window(box(490_000, 4_990_000, 510_000, 5_010_000), 32634))
print(json.dumps([found.n, pa.default_memory_pool().max_memory()]))
"""


def test_a_dataset_is_not_read_whole(tmp_path, root):
    """A million rows of 128 MB, most of it text: what arrow holds at once stays under a fifth."""
    text = np.random.default_rng(0).bytes(100 * 250_000).hex()
    for k in range(4):
        frame = strikes(250_000, seed=k)
        frame["note"] = [text[100 * i : 100 * i + 100] for i in range(len(frame))]
        pq.write_table(
            pa.Table.from_pandas(frame.sort_values("latitude")), tmp_path / f"part{k}.parquet", row_group_size=20_000, compression="none"
        )
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    done = subprocess.run([sys.executable, "-c", READ, str(tmp_path)], cwd=root, capture_output=True, text=True, check=True)
    n, most = json.loads(done.stdout)
    assert 230_000 < n < 270_000
    assert size > 120_000_000
    assert most < size / 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop(columns="latitude"), "column latitude: must have this column"),
        (lambda f: f.assign(longitude=f["longitude"].astype(str)), "must be a column of numbers"),
        (lambda f: f.assign(longitude=np.where(f.index == 7, np.nan, f["longitude"])), "column longitude.*in every row"),
        (lambda f: f.assign(latitude=f["latitude"].mask(f.index == 7).astype("Float64")), "column latitude.*in every row"),
        (lambda f: f.assign(latitude=np.where(f.index == 7, np.inf, f["latitude"])), "value 'inf'"),
        (lambda f: f.assign(latitude=np.where(f.index == 7, 91.0, f["latitude"])), "value '91"),
        (lambda f: f.assign(longitude=f["longitude"] + 90), "no strike lies in the window"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, window, change, said):
    change(strikes(50)).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match=said):
        read_parquet_strikes(tmp_path / "x.parquet", window)


def test_no_parquet_is_one_line(tmp_path, window):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 not really")
    for path in (tmp_path / "x.parquet", tmp_path / "nowhere", tmp_path):
        with pytest.raises(InputError, match="must be Parquet"):
            read_parquet_strikes(path, window)
    with pytest.raises(InputError, match="must have this column"):
        strikes(9).to_parquet(tmp_path / "x.parquet")
        read_parquet_strikes(tmp_path / "x.parquet", window, columns=["nothing"])
    with pytest.raises(InputError, match="no CRS"):
        read_parquet_strikes(tmp_path / "x.parquet", Window(box(0, 0, 1, 1)))
