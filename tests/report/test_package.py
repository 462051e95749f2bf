"""The package of clean strikes, its description, and the way back from a strike to its rows."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cli import main
from analysis.pattern import InputError
from analysis.report.package import to_csv
from analysis.sources import chapman, trace_strike


@pytest.fixture(scope="module")
def made(tmp_path_factory, root):
    """Two sources of invented rows in Kyiv, fetched and cleaned by the command line."""
    folder = tmp_path_factory.mktemp("clean")
    header = "id,date,latitude,longitude,location,description,sources,associations\n"
    bellingcat = header + "".join(
        f"CIV{k},03/{1 + k:02d}/2022,{50.40 + k / 200},30.5,=cmd(),hit,https://a.example,Weapon System=Unknown\n" for k in range(12)
    )
    (folder / "raw/bellingcat_civharm").mkdir(parents=True)
    (folder / "raw/bellingcat_civharm/ukr-civharm-2024-02-26.csv").write_text(bellingcat + "CIV99,03/01/2022,0,0,,,,\n")
    header = "entry,date,event_group,brief description,lat,lon,arms/munition,link\n"
    media = header + "".join(
        f"UW{k},2022-03-{1 + k // 2:02d},Bombing or Explosion,hit,{50.40 + (k // 2) / 200},30.5,,\n" for k in range(8, 30)
    )
    (folder / "raw/cir_eyesonrussia_2022").mkdir()
    (folder / "raw/cir_eyesonrussia_2022/events.csv").write_text(media)
    missions = pd.read_csv(root / "data/hand/missions.csv").rename(columns={"mission_id": "site_id"})
    missions[missions["city"] == "Kyiv"].to_csv(folder / "sites.csv", index=False)
    run(["clean", "bellingcat", "eyes_on_russia", "--raw", str(folder / "raw"), "--window", str(root / "data/hand/kyiv_window.geojson"),
         "--sites", str(folder / "sites.csv"), "--prefix", "T", "--out", str(folder / "out")], root)  # fmt: skip
    return folder / "out"


def run(arguments, root):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "argv", ["analysis", *arguments])
        try:
            main()
        except SystemExit as stopped:
            assert not stopped.code


def rows(path) -> list[dict]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_every_raw_row_is_in_the_package_once(made):
    """13 + 22 rows: 12 incidents, of which days 5 to 12 are in both sources, and 3 more days of media; one row stands at (0, 0)."""
    strikes, trace, rejected = (rows(made / f"{name}.csv") for name in ("strikes", "trace", "rejected"))
    assert (len(strikes), len(trace), len(rejected)) == (15, 34, 1)
    assert rejected[0]["reason"].startswith("is (0, 0)")
    assert rows(made / "flow.csv")[0] == {"step": "read", "bellingcat": "13", "eyes_on_russia": "22", "all": "35"}
    both = [s for s in strikes if s["sources"] == "bellingcat;eyes_on_russia"]
    assert len(both) == 8
    assert strikes[0]["place"] == "'=cmd()"
    assert float(strikes[0]["longitude"]) == pytest.approx(30.5, abs=1e-6)


def test_the_parquet_file_is_the_same_table(made):
    frame = gpd.read_parquet(made / "strikes.parquet")
    assert frame["strike_id"].tolist() == [row["strike_id"] for row in rows(made / "strikes.csv")]
    assert frame.crs.to_epsg() == 32636
    assert frame.to_crs(4326).geometry.x.iloc[0] == pytest.approx(30.5, abs=1e-6)


def test_descriptions_name_every_file_with_its_sum(made):
    data = json.loads((made / "datapackage.json").read_text())
    assert data["$schema"].endswith("2.0/datapackage.json")
    for entry in data["resources"]:
        content = (made / entry["path"]).read_bytes()
        assert entry["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert entry["bytes"] == len(content)
        if entry["path"].endswith(".csv"):
            assert [f["name"] for f in entry["schema"]["fields"]] == list(csv.reader(io.StringIO(content.decode())).__next__())
    crate = json.loads((made / "ro-crate-metadata.json").read_text())
    graph = {node["@id"]: node for node in crate["@graph"]}
    assert graph["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert {"datePublished", "license", "name", "description"} <= set(graph["./"])  # what RO-Crate 1.1 says must be there
    assert {entry["name"] for entry in data["licenses"]} == {"other-closed"}
    assert {p["@id"] for p in graph["./"]["hasPart"]} <= {path.name for path in made.iterdir()}
    assert all(part["@id"] in graph for part in [*graph["./"]["hasPart"], *graph["./"]["isBasedOn"]])


def test_the_way_back(made, root, capsys):
    strike = next(s for s in rows(made / "strikes.csv") if s["reports"] == "3")
    behind = trace_strike(strike["strike_id"], made, root / "data/hand")
    assert [(b["source"], b["file"]) for b in behind] == [
        ("bellingcat", "ukr-civharm-2024-02-26.csv"), ("eyes_on_russia", "events.csv"), ("eyes_on_russia", "events.csv")
    ]  # fmt: skip
    assert all(len(b["sha256"]) == 64 and b["url"].startswith("https://") for b in behind)
    run(["trace", strike["strike_id"], "--clean", str(made)], root)
    said = capsys.readouterr().out
    assert all(b["sha256"] in said and b["url"] in said for b in behind)
    (coded,) = trace_strike("KYV-20240708-01", made, root / "data/hand")
    assert coded["file"] == "strikes.csv"
    with pytest.raises(InputError, match="no such strike"):
        trace_strike("T-1", made, root / "data/hand")


def test_completeness_near_and_far(made):
    """Both cover 5 to 12 March: 8 in each and in both, so the estimate is 8 of 8, near sites or far."""
    table = rows(made / "completeness.csv")
    assert [row["where"] for row in table] == ["all", "within 500 m", "beyond 500 m"]
    assert table[0]["in_both"] == table[0]["in_first"] == table[0]["in_second"] == "8"
    assert float(table[0]["total"]) == 8
    assert sum(int(row["in_both"]) for row in table[1:]) == 8


def test_chapman_by_hand():
    """a = 30, b = 25, m = 15: N = 31 x 26 / 16 - 1 = 49.375; var = 31 x 26 x 15 x 10 / (16^2 x 17) = 27.78; unseen 9.375."""
    total, (low, high) = chapman(30, 25, 15)
    assert total == 49.375
    assert (40 - low) * (40 - high) == pytest.approx(9.375**2)  # the interval of the unseen is symmetric on the log scale
    assert chapman(8, 8, 8) == (8.0, (8.0, 8.0))


@pytest.mark.parametrize(("p", "q"), [(0.6, 0.4), (0.3, 0.3)])
def test_chapman_covers_the_truth_when_sources_are_independent(p, q):
    """2,000 lists of 100: the interval should hold 100 in 95 %; a share under 92.5 % or above 98.5 % would not be that."""
    draw = np.random.default_rng(5)
    first, second = draw.random((2000, 100)) < p, draw.random((2000, 100)) < q
    held = [
        low <= 100 <= high
        for _, (low, high) in (chapman(int(a.sum()), int(b.sum()), int((a & b).sum())) for a, b in zip(first, second, strict=True))
    ]
    assert 0.925 <= sum(held) / 2000 <= 0.985


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=8))
def test_no_cell_can_run_as_a_formula(text):
    cell = next(csv.reader(io.StringIO(to_csv(pd.DataFrame({"a": [text, "x"]})).decode().split("\n", 1)[1])), [""])
    value = cell[0] if cell else ""
    assert not value.startswith(("=", "+", "-", "@", "\t"))
    assert value.removeprefix("'") == text.removeprefix("'") or value == text


def test_numbers_stay_numbers():
    assert to_csv(pd.DataFrame({"a": [-1.5], "b": ["-1.5"]})) == b"a,b\n-1.5,'-1.5\n"
