"""Every reader on a small file of its published schema (values invented), and on the real file where it is at hand."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pattern import InputError
from analysis.sources import SITE_READERS, STRIKE_READERS
from analysis.sources.cells import read_cells
from analysis.sources.raw import RAW_COLUMNS, SITE_COLUMNS
from analysis.sources.readers import read_alerts, read_attack_counts

MIRROR = Path(__file__).resolve().parents[3] / "shared" / "mirror"


def table(header: list[str], *rows: dict, separator: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, delimiter=separator, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read(tmp_path: Path, reader: str, content: str | bytes, name: str = "file.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = {**STRIKE_READERS, **SITE_READERS}[reader](path, "src")
    assert len(found.frame) + len(found.rejected) == found.n_read
    assert tuple(found.frame.columns) == (SITE_COLUMNS if reader in SITE_READERS else RAW_COLUMNS)
    return found


BELLINGCAT = ["id", "date", "latitude", "longitude", "location", "description", "sources", "associations"]
GOOD = {"id": "CIV1", "date": "03/05/2022", "latitude": "50.1", "longitude": "30.2", "description": "hit", "sources": "https://a.example,https://b.example",
        "associations": "Type of area affected=Residential,Weapon System=Cruise missile"}  # fmt: skip


def test_bellingcat_csv(tmp_path):
    rows = [GOOD, {**GOOD, "id": "CIV2", "associations": "Weapon System=Land mines"}, {**GOOD, "id": "CIV3", "date": "13/05/2022"}]
    found = read(tmp_path, "bellingcat_csv", table(BELLINGCAT, *rows))
    first = found.frame.iloc[0]
    assert (str(first["date"].date()), first["weapon_class"], first["kind"]) == ("2022-03-05", "cruise", "strike")  # month first
    assert (first["longitude"], first["latitude"], first["url"]) == (30.2, 50.1, "https://a.example")
    assert found.frame.iloc[1]["kind"] == "other"
    assert found.rejected.iloc[0][["raw_id", "row", "column", "reason"]].tolist() == ["CIV3", 3, "date", "is not a date like %m/%d/%Y"]


def test_bellingcat_json(tmp_path):
    event = {"id": "CIV1", "date": "03/05/2022", "latitude": "50.1", "longitude": "30.2", "location": "X", "description": "hit",
             "associations": ["asc19"], "sources": ["srcHidden", "s1"]}  # fmt: skip
    (tmp_path / "export_sources.json").write_text(json.dumps({"srcHidden": {"paths": ["HIDDEN"]}, "s1": {"paths": ["https://a.example"]}}))
    (tmp_path / "export_associations.json").write_text(
        json.dumps([{"id": "asc19", "title": "Cruise missile", "filter_paths": ["Weapon System", "Cruise missile"]}])
    )
    found = read(tmp_path, "bellingcat_json", json.dumps([event, "not an event"]), "export_events.json")
    assert found.frame.iloc[0][["weapon_class", "url"]].tolist() == ["cruise", "https://a.example"]
    assert found.rejected.iloc[0][["row", "reason"]].tolist() == [2, "is not an event"]


def test_eyes_on_russia_rows_are_media(tmp_path):
    header = ["entry", "date", "event_group", "brief description", "lat", "lon", "arms/munition", "link"]
    row = {
        "entry": "UW1",
        "date": "2022-03-05",
        "event_group": "Bombing or Explosion Feb - March 2022",
        "brief description": "Shelling",
        "lat": "50",
        "lon": "30",
    }
    found = read(
        tmp_path, "eyes_on_russia", table(header, row, {**row, "entry": "UW2", "event_group": "Russian Military Presence March 2022"})
    )
    assert found.frame["kind"].tolist() == ["media", "other"]
    assert found.frame["weapon_class"][0] == "unknown"  # "shelling" names no class


# 49 columns in the codebook of GED 23.1; those read here
UCDP = [
    "id",
    "where_prec",
    "latitude",
    "longitude",
    "date_prec",
    "date_start",
    "source_headline",
    "where_coordinates",
    "adm_1",
    "adm_2",
    "source_original",
]


def test_ucdp_keeps_no_centroid_of_a_region(tmp_path):
    row = {"id": "1", "where_prec": "1", "latitude": "50", "longitude": "30", "date_prec": "1", "date_start": "2022-03-05 00:00:00.000",
           "source_headline": "Missile strike on a depot", "where_coordinates": "Kyiv city", "adm_1": "Kyiv oblast"}  # fmt: skip
    rows = [
        row,
        {**row, "id": "2", "where_prec": "4"},
        {**row, "id": "3", "date_prec": "3"},
        {**row, "id": "5", "source_headline": "Clashes near a village"},
        {**row, "id": "4", "where_prec": "9"},
    ]
    found = read(tmp_path, "ucdp", table(UCDP, *rows))
    assert found.frame["uncertainty_m"].fillna(-1).tolist() == [3000, -1, 3000, 3000]
    assert found.frame["longitude"].isna().tolist() == [False, True, False, False]
    assert found.frame["area"].tolist() == ["", "Kyiv oblast", "", ""]
    assert found.frame["kind"].tolist() == ["strike", "strike", "other", "other"]
    assert found.rejected["reason"].tolist() == ["must be 1 to 7"]


def test_ucdp_in_windows_1252(tmp_path):
    row = {
        "id": "1",
        "where_prec": "1",
        "latitude": "50",
        "longitude": "30",
        "date_prec": "1",
        "date_start": "3/5/2022",
        "where_coordinates": "Orléans",
    }
    assert read(tmp_path, "ucdp", table(UCDP, row).encode("cp1252")).frame["place"].tolist() == ["Orléans"]


def test_acled(tmp_path):
    header = [
        "event_id_cnty",
        "event_date",
        "time_precision",
        "sub_event_type",
        "latitude",
        "longitude",
        "geo_precision",
        "location",
        "admin2",
        "notes",
        "source",
    ]
    row = {"event_id_cnty": "UKR1", "event_date": "2022-03-05", "time_precision": "1", "sub_event_type": "Air/drone strike", "latitude": "50", "longitude": "30",
           "geo_precision": "1", "location": "Kyiv", "admin2": "Kyivskyi", "notes": "Shahed drones"}  # fmt: skip
    rows = [row, {**row, "geo_precision": "3"}, {**row, "sub_event_type": "Armed clash"}]
    found = read(tmp_path, "acled", table(header, *rows))
    assert found.frame["kind"].tolist() == ["strike", "strike", "other"]
    assert found.frame["weapon_class"][0] == "drone"
    assert found.frame["area"].tolist() == ["", "Kyivskyi", ""]


VIINA = ["event_id", "date", "longitude", "latitude", "GEO_PRECISION", "asciiname", "ADM2_NAME", "url", "text"]


def viina(folder: Path, labels: list[dict], info: list[dict]) -> Path:
    for name, text in (("event_info", table(VIINA, *info)),
                       ("event_labels", table(["event_id", "t_airstrike_b", "t_artillery_b", "t_uav_b"], *labels))):  # fmt: skip
        with zipfile.ZipFile(folder / f"{name}_latest_2022.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}_latest_2022.csv", text)
    return folder / "event_info_latest_2022.zip"


def test_viina_joins_labels_by_id(tmp_path):
    info = [{"event_id": str(k), "date": "20220305", "longitude": "30", "latitude": "50", "GEO_PRECISION": p, "ADM2_NAME": "R"}
            for k, p in ((1, "STREET"), (2, "ADM3"), (3, "ADM2"), (4, "ADM3"))]  # fmt: skip
    labels = [{"event_id": str(k), "t_airstrike_b": "0", "t_artillery_b": str(int(k == 2)), "t_uav_b": str(int(k == 1))} for k in (3, 2, 1)]
    found = STRIKE_READERS["viina"](viina(tmp_path, labels, info), "viina")
    assert found.frame["kind"].tolist() == ["media", "media", "other"]
    assert found.frame["weapon_class"].tolist() == ["drone", "artillery_mlrs", "unknown"]
    assert found.frame["uncertainty_m"].fillna(-1).tolist() == [150, 3000, -1]
    assert "has no labels" in found.rejected["reason"][0]
    with pytest.raises(InputError, match="must be unique"):
        STRIKE_READERS["viina"](viina(tmp_path, labels + labels, info), "viina")


KML = """<?xml version="1.0" encoding="UTF-8"?>{dtd}<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>
<Placemark><name><![CDATA[20 APR 2024]]></name><description><![CDATA[Shahed strike<br>{story} https://a.example/1]]></description>
<Point><coordinates>30.5,50.4,0</coordinates></Point></Placemark>
<Placemark><name>no date</name><Point><coordinates>30.5,50.4,0</coordinates></Point></Placemark>
<Placemark><name>21 APR 2024</name><description>Trenches</description></Placemark></Folder></Document></kml>"""


@pytest.mark.parametrize("kind", ["kml", "kmz"])
def test_geoconfirmed(tmp_path, kind):
    content = KML.format(dtd="", story="on a roof").encode()
    if kind == "kmz":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("doc.kml", content)
            archive.writestr("images/a.png", b"x")
        content = out.getvalue()
    found = read(tmp_path, "geoconfirmed", content, f"ukraine.{kind}")
    first = found.frame.iloc[0]
    assert (str(first["date"].date()), first["kind"], first["weapon_class"], first["url"]) == (
        "2024-04-20",
        "media",
        "drone",
        "https://a.example/1",
    )
    assert found.rejected["reason"].tolist() == ["is not a date like %d %b %Y", "has no position"]


BOMB = '<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE kml [<!ENTITY b SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("dtd", [BOMB, OUTSIDE])
def test_kml_with_entities_is_refused(tmp_path, dtd):
    with pytest.raises(InputError, match="holds XML that is refused"):
        read(tmp_path, "geoconfirmed", KML.format(dtd=dtd, story="&b;"), "x.kml")


@pytest.mark.parametrize("content", ["<kml><Document>", "not XML", "<html></html>"])
def test_what_is_no_kml_is_one_line(tmp_path, content):
    with pytest.raises(InputError, match="must be KML"):
        read(tmp_path, "geoconfirmed", content, "x.kml")


def test_attack_counts_and_alerts(tmp_path):
    path = tmp_path / "a.csv"
    header = ["time_start", "time_end", "model", "launched", "destroyed", "target"]
    row = {
        "time_start": "2024-03-05 21:00 ",
        "time_end": "2024-03-06",
        "model": "X-101",
        "launched": "21.0",
        "destroyed": "",
        "target": "Ukraine",
    }
    path.write_text(table(header, row))
    assert read_attack_counts(path).iloc[0][["launched", "region"]].tolist() == [21.0, "Ukraine"]
    path.write_text(table(header, row, {**row, "time_start": "soon"}))
    with pytest.raises(InputError, match=r"row 2, column time_start, value 'soon': is not a time"):
        read_attack_counts(path)
    path.write_text(table(["oblast", "raion", "hromada", "started_at", "finished_at"],
                          {"oblast": "K", "started_at": "2022-03-15 16:10:34+00:00", "finished_at": "2022-03-15 18:50:07+02:00"}))  # fmt: skip
    assert (read_alerts(path).eval("end - start").dt.total_seconds() == 39 * 60 + 33).all()


def test_embassies_wikidata_overpass(tmp_path):
    header = ["operator", "country", "city", "latitude", "longitude", "website", "type", "QID"]
    row = {
        "operator": "Peru",
        "city": "Kyiv",
        "latitude": "50.4",
        "longitude": "30.5",
        "type": "embassy",
        "QID": "http://www.wikidata.org/entity/Q1",
    }
    content = table(header, row, {**row, "latitude": ""}, separator=";").replace("QID\n", "QID;\n")
    found = read(tmp_path, "embassies", content)
    assert found.frame.iloc[0][["raw_id", "holder", "city"]].tolist() == ["Q1", "Peru", "Kyiv"]
    assert found.rejected["reason"].tolist() == ["one of two coordinates is missing"]
    row = {
        "item": "http://www.wikidata.org/entity/Q2",
        "itemLabel": "Embassy of Peru",
        "operatorLabel": "Peru",
        "coord": "Point(30.5 50.4)",
    }
    header = ["item", "itemLabel", "typeLabel", "operatorLabel", "cityLabel", "coord"]
    found = read(tmp_path, "wikidata", table(header, row, {**row, "coord": "nowhere"}))
    assert found.frame.iloc[0][["longitude", "latitude"]].tolist() == [30.5, 50.4]
    tags = {"office": "diplomatic", "name": "Посольство", "name:en": "Embassy of Peru", "country": "PE"}
    elements = [{"type": "node", "id": 1, "lat": 50.4, "lon": 30.5, "tags": tags}, {"type": "node", "id": 3, "lat": 1.0, "lon": 1.0, "tags": {"shop": "tea"}},
                {"type": "way", "id": 2, "center": {"lat": 50.5, "lon": 30.6}, "tags": {"amenity": "embassy"}}]  # fmt: skip
    found = read(tmp_path, "overpass", json.dumps({"elements": elements}), "o.json")
    assert found.frame[["raw_id", "name", "latitude"]].to_numpy().tolist() == [["node/1", "Embassy of Peru", 50.4], ["way/2", "", 50.5]]
    assert found.rejected["reason"].tolist() == ["is not tagged as a diplomatic office"]
    with pytest.raises(InputError, match="Overpass"):
        read(tmp_path, "overpass", "[]", "o.json")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"latitude": "0", "longitude": "0"}, "is (0, 0), which stands for a missing position"),
        ({"latitude": "95"}, "must lie between -90 and 90 degrees"),
        ({"latitude": "50,1"}, "has a decimal comma; declare it"),
        ({"latitude": "north"}, "is not a number"),
        ({"latitude": "inf"}, "is not a number"),
        ({"latitude": "NaN"}, "is not a number"),
        ({"latitude": "", "longitude": ""}, "has no position"),
        ({"date": ""}, "has no date"),
        ({"date": "02/30/2022"}, "is not a date like %m/%d/%Y"),
        ({"date": "01/01/9999"}, "is not a date like %m/%d/%Y"),
    ],
)
def test_a_row_that_fails_keeps_its_reason(tmp_path, change, reason):
    found = read(tmp_path, "bellingcat_csv", table(BELLINGCAT, GOOD, {**GOOD, **change}))
    assert found.rejected[["row", "reason"]].to_numpy().tolist() == [[2, reason]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty"),
        ("a,b\n1,2\n", "column id.*must have this column"),
        ("\N{CYRILLIC SMALL LETTER A}".encode("cp1251") * 9, "is not utf-8 text"),
        (",".join(BELLINGCAT) + '\n"CIV1,x\n', "a quotation is never closed"),
        (b"PK\x03\x04\0\0\0\0" * 9, "is not a text file|must have"),
    ],
)
def test_what_is_no_such_file_is_one_line(tmp_path, content, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, "bellingcat_csv", content)


def test_a_byte_order_mark_and_rows_of_the_wrong_length(tmp_path):
    good = table(BELLINGCAT, GOOD)
    broken = good + "CIV2,03/05/2022\n" + good.splitlines()[1] + "\n" + "a," * 12 + "\n"
    found = read(tmp_path, "bellingcat_csv", b"\xef\xbb\xbf" + broken.encode())
    assert found.frame["row"].tolist() == [1, 3]
    assert found.rejected[["row", "reason"]].to_numpy().tolist() == [[2, "has too few cells"], [4, "has too many cells"]]


@given(
    st.lists(
        st.lists(
            st.sampled_from(["", "1", "x,y", 'q"q', "50.4", "30.5", "03/05/2022", "\N{SNOWMAN}", "NaN", "-1e400"]), min_size=1, max_size=9
        ),
        max_size=8,
    )
)
def test_no_row_vanishes(tmp_path_factory, rows):
    """Whatever the cells, each row of the file is kept or rejected with a reason."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(BELLINGCAT)
    writer.writerows(rows)
    cells, broken = read_cells(out.getvalue(), "f", BELLINGCAT)
    assert len(cells) + len(broken) == len(rows)
    assert sorted([*cells.index, *broken.index]) == list(range(1, len(rows) + 1))
    found = read(tmp_path_factory.mktemp("rows"), "bellingcat_csv", out.getvalue())
    assert found.n_read == len(rows)
    assert (found.rejected["reason"] != "").all()


REAL = {
    "bellingcat_csv": ("bellingcat_civharm/ukr-civharm-2024-02-26.csv", 1551, 0),
    "eyes_on_russia": ("cir_eyesonrussia_2022/events.csv", 6650, 4),
    "embassies": ("embassies/database_of_embassies_2022-11-16.csv", 9852, 1132),
}


def test_real_files_where_they_are_at_hand():
    """Counts by the csv module, and the rejections that the files' own notes name."""
    present = {name: (MIRROR / file, n, bad) for name, (file, n, bad) in REAL.items() if (MIRROR / file).is_file()}
    for name, (path, n, bad) in present.items():
        found = {**STRIKE_READERS, **SITE_READERS}[name](path, name)
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle, delimiter=";" if name == "embassies" else ","))
        assert (len(rows), len(found.frame), len(found.rejected)) == (n, n - bad, bad)
        if name == "eyes_on_russia":
            days = Counter(row["date"] for row in rows if row["date"])
            assert Counter(found.frame["date"].dt.strftime("%Y-%m-%d")) == days
    if (MIRROR / "bellingcat_civharm/export_events.json").is_file():
        found = STRIKE_READERS["bellingcat_json"](MIRROR / "bellingcat_civharm/export_events.json", "b")
        assert len(found.frame) == 1159
        assert len(read_attack_counts(MIRROR / "missile_attacks_daily/missile_attacks_daily.csv")) == 3378
        assert len(read_alerts(MIRROR / "air_raid_sirens/official_data_en.csv")) == 43031
