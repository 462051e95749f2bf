"""Every reader on files spoilt at random: it gives its table, every row accounted for, or one line; never another error.

Each seed is a small valid file; spoilings are drawn from a fixed seed. In the environment, FUZZ=20 draws twenty times as many, and
FUZZ_SEED others.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import box
from test_readers import BELLINGCAT, GOOD, KML, UCDP, table, viina

from analysis.cli import _calibration
from analysis.pattern import InputError
from analysis.sources import SITE_READERS, STRIKE_READERS, load_study, own_study, read_hand, read_manifest, read_plan, read_registry
from analysis.sources.readers import read_alerts, read_attack_counts

TIMES = int(os.environ.get("FUZZ", "1"))
NASTY = ["", "NaN", "inf", "-inf", "1e400", "-0", "9" * 400, "\0", "\ud800", "\ufeff", '"', "'", ",", ";", "\r", "\n", "\u2028", "\u202e", "=cmd()",
         "0000-00-00", "9999-12-31", "10000-01-01", "91", "-181", "x" * 200_000, "null", "true", "[]", "{}", "<x>", "0x1F", "\u0665"]  # fmt: skip


def spoil(content: bytes, draw: random.Random) -> bytes:
    """Spoil bytes, lines or cells once to three times."""
    for _ in range(draw.randint(1, 3)):
        how, size = draw.randrange(8), len(content)
        at = draw.randrange(size + 1)
        lines = content.split(b"\n")
        k = draw.randrange(len(lines))
        if how == 0:
            content = content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]
        elif how == 1:
            content = content[:at]
        elif how == 2:
            content = content[:at] + content[at + draw.randint(1, 40) :]
        elif how == 3:
            content = b"\n".join([*lines[:k], lines[k], *lines[k:]])
        elif how == 4:
            content = b"\n".join(lines[:k] + lines[k + 1 :])
        elif how == 5:
            draw.shuffle(lines)
            content = b"\n".join(lines)
        else:  # a cell, a number or a string gives way to something nasty
            marks = [i for i, c in enumerate(content) if c in b',;"\t<>:= \n']
            if marks:
                j = draw.randrange(len(marks))
                end = marks[j + 1] if j + 1 < len(marks) else size
                nasty = draw.choice(NASTY).encode("utf-8", "surrogatepass")
                content = content[: marks[j] + 1] + nasty + content[end:]
    return content


def accounted(found: Any) -> None:
    assert len(found.frame) + len(found.rejected) == found.n_read


READERS = {**STRIKE_READERS, **SITE_READERS}


def raw(folder: Path, reader: str, content: str | bytes, name: str = "file.csv") -> tuple[Path, Callable[[], None]]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path, lambda: accounted(READERS[reader](path, "src"))


def event(**cells: str) -> str:
    """Give a table of one header and three such rows."""
    return table(list(cells), *[cells] * 3)


def bellingcat_json(folder: Path):
    (folder / "export_sources.json").write_text(json.dumps({"s1": {"paths": ["https://a.example"]}}))
    (folder / "export_associations.json").write_text(
        json.dumps([{"id": "a", "title": "Cruise missile", "filter_paths": ["Weapon System", "Cruise missile"]}])
    )
    one = {"id": "CIV1", "date": "03/05/2022", "latitude": "50.1", "longitude": "30.2", "location": "X", "description": "hit",
           "associations": ["a"], "sources": ["s1"]}  # fmt: skip
    return raw(folder, "bellingcat_json", json.dumps([one, one]), "export_events.json")


def in_zip(folder: Path):
    info = [{"event_id": "1", "date": "20220305", "longitude": "30", "latitude": "50", "GEO_PRECISION": "STREET", "ADM2_NAME": "R"}]
    path = viina(folder, [{"event_id": "1", "t_airstrike_b": "0", "t_artillery_b": "0", "t_uav_b": "1"}], info)
    return path, lambda: accounted(READERS["viina"](path, "viina"))


def kmz(folder: Path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("doc.kml", KML.format(dtd="", story="x"))
    return raw(folder, "geoconfirmed", out.getvalue(), "x.kmz")


def overpass(folder: Path):
    tags = {"office": "diplomatic", "name": "E", "country": "PE"}
    elements = [
        {"type": "node", "id": 1, "lat": 50.4, "lon": 30.5, "tags": tags},
        {"type": "way", "id": 2, "center": {"lat": 50.5, "lon": 30.6}, "tags": tags},
    ]
    return raw(folder, "overpass", json.dumps({"elements": elements}), "o.json")


def own(kind: str, suffix: str):
    """One of a user's own files; the others are whole."""

    def seed(folder: Path):
        rows = range(6)
        window = gpd.GeoDataFrame({"name": ["N"]}, geometry=[box(20.0, 45.0, 20.1, 45.1)], crs=4326)
        places = pd.DataFrame({"longitude": [20.01 + k / 100 for k in rows], "latitude": [45.02 + k / 100 for k in rows]})
        strikes = places.assign(
            date=[f"2023-01-0{k + 1}" for k in rows], uncertainty_m=50.0, area="N", weapon_class="drone", strike_id=[f"s{k}" for k in rows]
        )
        tables = {"strikes": strikes, "sites": places.assign(name="A"), "completeness": pd.DataFrame(
            {"first": ["a"], "second": ["b"], "where": ["all"], "in_first": [3], "in_second": [4], "in_both": [2], "total": [6.0], "completeness": [0.8],
             "interval": [""], "said": [""]})}  # fmt: skip
        paths = {"window": folder / "window.geojson", "areas": folder / "areas.geojson"}
        window.drop(columns="name").to_file(paths["window"])
        window.to_file(paths["areas"])
        for name, frame in tables.items():
            how = suffix if name == kind else "csv"
            paths[name] = path = folder / f"{name}.{how}"
            if how == "csv":
                frame.to_csv(path, index=False)
            elif how == "xlsx":
                frame.to_excel(path, index=False)
            else:
                geometry = gpd.points_from_xy(frame["longitude"], frame["latitude"])
                points = gpd.GeoDataFrame(frame.drop(columns=["longitude", "latitude"]), geometry=geometry, crs=4326)
                points.to_parquet(path) if how == "parquet" else points.to_file(path)
        plan = read_plan(ROOT / "data/plan.toml")
        return paths[kind], lambda: own_study(
            "T", paths["strikes"], paths["sites"], paths["window"], plan, areas=paths["areas"], completeness=paths["completeness"]
        )

    return seed


ROOT = Path(__file__).resolve().parents[2]


def shipped(source: str, run: Callable[[Path], Any], name: str = ""):
    """A file of the repository, or its first lines where it is long."""

    def seed(folder: Path):
        path = folder / (name or Path(source).name)
        shutil.copy(ROOT / source, path)
        return path, lambda: run(path)

    return seed


def hand(name: str):
    def seed(folder: Path):
        shutil.copytree(ROOT / "data/hand", folder / "hand")
        plan = read_plan(ROOT / "data/plan.toml")
        # the polygons are read with the study, tables without
        run = (lambda: load_study(folder / "hand", plan)) if name.endswith("geojson") else (lambda: read_hand(folder / "hand"))
        return folder / "hand" / name, run

    return seed


def manifest(folder: Path):
    path = folder / "manifest.json"
    path.write_text(json.dumps({"s": {"url": "u", "file": "f", "sha256": "0" * 64, "bytes": 3}}))
    return path, lambda: read_manifest(folder)


SEEDS: dict[str, Callable[[Path], tuple[Path, Callable[[], Any]]]] = {
    "bellingcat_csv": lambda f: raw(f, "bellingcat_csv", table(BELLINGCAT, GOOD, GOOD)),
    "bellingcat_json": bellingcat_json,
    "eyes_on_russia": lambda f: raw(f, "eyes_on_russia", event(**{
        "entry": "UW1", "date": "2022-03-05", "event_group": "Bombing or Explosion", "brief description": "Shelling", "lat": "50", "lon": "30",
        "arms/munition": "", "link": ""})),
    "ucdp": lambda f: raw(f, "ucdp", event(**{name: "1" for name in UCDP} | {"latitude": "50", "longitude": "30", "date_start": "2022-03-05"})),
    "acled": lambda f: raw(f, "acled", event(
        event_id_cnty="U1", event_date="2022-03-05", time_precision="1", sub_event_type="Air/drone strike", latitude="50", longitude="30",
        geo_precision="1", location="Kyiv", admin2="K", notes="Shahed", source="s")),
    "viina": in_zip,
    "geoconfirmed_kml": lambda f: raw(f, "geoconfirmed", KML.format(dtd="", story="x"), "x.kml"),
    "geoconfirmed_kmz": kmz,
    "embassies": lambda f: raw(f, "embassies", event(
        operator="Peru", country="", city="Kyiv", latitude="50.4", longitude="30.5", website="", type="embassy", QID="Q1").replace(",", ";")),
    "wikidata": lambda f: raw(f, "wikidata", event(
        item="Q2", itemLabel="Embassy", typeLabel="", operatorLabel="Peru", cityLabel="", coord="Point(30.5 50.4)")),
    "overpass": overpass,
    "attacks": lambda f: (raw(f, "ucdp", event(time_start="2024-03-05 21:00", time_end="2024-03-06", model="X-101", launched="21.0", destroyed="",
                                               target="U"))[0], lambda: read_attack_counts(f / "file.csv")),
    "alerts": lambda f: (raw(f, "ucdp", event(oblast="K", raion="", hromada="", started_at="2022-03-15 16:10:34+00:00",
                                              finished_at="2022-03-15 18:50:07+02:00"))[0], lambda: read_alerts(f / "file.csv")),
    **{f"own strikes.{s}": own("strikes", s) for s in ("csv", "xlsx", "geojson", "gpkg", "parquet")},
    "own sites.csv": own("sites", "csv"),
    "own sites.geojson": own("sites", "geojson"),
    "own window": own("window", "geojson"),
    "own areas": own("areas", "geojson"),
    "own completeness": own("completeness", "csv"),
    "plan": shipped("data/plan.toml", read_plan),
    "registry": shipped("data/sources.toml", read_registry),
    "calibration": shipped("data/calibration/primary.json", _calibration),
    "manifest": manifest,
    **{f"hand {name}": hand(name) for name in ("strikes.csv", "missions.csv", "claims.csv", "notifications.csv", "kyiv_raions.geojson")},
}  # fmt: skip


@pytest.mark.parametrize("name", SEEDS)
def test_spoilt_files_are_read_or_refused_in_one_line(name, tmp_path):
    path, run = SEEDS[name](tmp_path)
    run()  # the seed itself is valid
    whole, draw, refused = path.read_bytes(), random.Random(os.environ.get("FUZZ_SEED", "") + name), 0
    slow = name.startswith(("hand", "own"))
    spoilt = [
        b"",
        b"\0" * 64,
        b"PK\x03\x04 not a zip",
        b"\xff\xfe",
        whole[: len(whole) // 2],
        *(spoil(whole, draw) for _ in range((6 if slow else 20) * TIMES)),
    ]
    for content in spoilt:
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run()
        except InputError as error:
            refused += 1
            assert str(error).strip()
            assert "\n" not in str(error), str(error)
        except Exception as error:
            kept = Path(os.environ.get("FUZZ_KEEP", tmp_path)) / f"spoilt_{path.name}"
            kept.write_bytes(content)
            raise AssertionError(f"{type(error).__name__}: {error} on {kept}") from error
    assert refused >= 4


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_not_there_or_a_folder_is_one_line(name, tmp_path):
    path, run = SEEDS[name](tmp_path)
    path.unlink()
    if name in ("manifest", "calibration"):  # these need not be there
        assert not run()
        return
    with pytest.raises(InputError):
        run()
    path.mkdir()
    with pytest.raises(InputError):
        run()


# what spoiling at random once brought down, each with its smallest cause
CORPUS: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("bellingcat_csv", lambda c: b"x" * 200_000 + c, "must be a CSV file"),
    ("bellingcat_csv", lambda c: c.replace(b"description", b'"descrip\ntion"', 1), "has two lines"),
    ("geoconfirmed_kml", lambda c: c.replace(b"UTF-8", b"true", 1), "unknown encoding"),
    ("geoconfirmed_kmz", lambda c: c.replace(b"PK\x05\x06" + c[-18:], b"PK\x05\x06" + c[-18:-6] + b"\xff" * 4 + c[-2:]), "whole zip archive"),
    ("alerts", lambda c: c.replace(b"2022-03-15 16", b"202-03-15 16", 1), "is not a time"),
    ("own completeness", lambda c: c.replace(b"total", b"where", 1), "this column once"),
    ("own sites.csv", lambda c: c.replace(b",name", b",uncertainty_m", 1), "number of metres"),
    ("own window", lambda c: c.replace(b"[ 20.1, 45.0 ], ", b"", 1).replace(b", [ 20.1, 45.0 ] ] ]", b", [ 20.3, 45.2 ] ] ]", 1), "cannot be read as polygons"),
    ("manifest", lambda c: b'{"s": 0}', "is damaged"),
    ("calibration", lambda c: b"\xff\xfe", "must hold a calibration"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "said"), CORPUS, ids=[f"{name}: {said}" for name, _, said in CORPUS])
def test_what_once_fell(name, change, said, tmp_path):
    path, run = SEEDS[name](tmp_path)
    content = path.read_bytes()
    path.write_bytes(change(content))
    assert path.read_bytes() != content
    with pytest.raises(InputError, match=said):
        run()
