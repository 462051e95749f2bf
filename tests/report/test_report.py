"""The report end to end: made twice, opened in a browser with the network off, spoilt, and fed hostile text."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from playwright.sync_api import sync_playwright
from scipy.stats import gamma

from analysis.assess import _looks, assess
from analysis.checks import Calibration
from analysis.cli import main
from analysis.inference import format_p
from analysis.proximity import Decay
from analysis.report import render, text, write_files
from analysis.report.pdf import _Setter, to_pdf

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
# A fresh machine may have no browser, and there the test is left out by name; CI installs one, so there it must run.
needs_browser = pytest.mark.skipif(not Path(CHROMIUM).exists() and not os.environ.get("CI"), reason="needs Debian's chromium package")


@pytest.mark.parametrize(("alternative", "best"), [("closer", 0), ("farther", 1), ("two-sided", 1)])
def test_every_look_is_paid_for_on_the_side_of_the_plan(alternative, best):
    """Statistics at +3 and −4 standard deviations of their draws; the others at the mean."""
    rng, given = np.random.default_rng(1), iter([3.0, -4.0, 0.0, 0.0])

    def test(decay, key):
        return SimpleNamespace(statistic=next(given), simulated=rng.normal(size=999)), None, None

    plan = SimpleNamespace(primary=SimpleNamespace(alternative=alternative), secondary=SimpleNamespace(radii_m=(250.0, 500.0)))
    looks = _looks(SimpleNamespace(plan=plan, test=test, null=SimpleNamespace(name="normal")), Decay("gaussian", 500.0))
    assert min(range(4), key=lambda k: looks[k]["max_t"]) == best
    assert [looks[k]["max_t"] < 0.05 for k in range(4)] == [k == best or (alternative == "two-sided" and k == 0) for k in range(4)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, root) -> list[Path]:
    """Two quick runs side by side: two workers here and now; one in another time zone, language and order of hashes, at another time."""
    folders = [tmp_path_factory.mktemp("report") for _ in range(2)]
    plan = tmp_path_factory.mktemp("plan") / "plan.toml"
    few = {"cell_m": 200.0, "n_simulations": 199, "curve_n_simulations": 99, "placebo_draws": 19}
    lines = (root / "data/plan.toml").read_text().splitlines()
    plan.write_text("\n".join(f"{key} = {few[key]}" if (key := line.split(" = ")[0]) in few else line for line in lines))
    elsewhere = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    places = [("--workers=2", {}), ("--workers=1", elsewhere)]
    jobs = [
        subprocess.Popen(
            [sys.executable, "-m", "analysis", "report", "--quick", f"--plan={plan}", workers, f"--out={folder}"],
            cwd=root, env={**os.environ, **place}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for folder, (workers, place) in zip(folders, places, strict=True)
    ]  # fmt: skip
    for job in jobs:
        out, err = job.communicate(timeout=280)
        assert job.returncode == 0, err.decode()
        assert b"Written:" in out
    return folders


@pytest.fixture(scope="module")
def results(runs) -> dict:
    return json.loads((runs[0] / "results.json").read_text())


def test_two_runs_give_the_same_bytes(runs):
    names = sorted(str(p.relative_to(runs[0])) for p in runs[0].rglob("*") if p.is_file())
    made = {"report.html", "report.pdf", "report.md", "results.json", "results.schema.json", "figures/map.png", "tables/counts.csv"}
    assert made <= set(names)
    for name in names:
        assert (runs[0] / name).read_bytes() == (runs[1] / name).read_bytes(), name


def test_html_is_one_file_that_asks_for_nothing(runs):
    html = (runs[0] / "report.html").read_text()
    assert len(html) < 5_000_000
    for attribute in re.findall(r"""(?:src|href)=["']([^"']*)""", html):
        assert attribute.startswith(("data:", "#", "https://", "http://"))
    assert not re.search(r"""<(script |link rel="stylesheet"|iframe|object)""", html)
    assert html.count("<script>") == 2  # the map, and the slider for the reader's own prior odds
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|sendBeacon|WebSocket|innerHTML|eval\(", html)
    assert "url(" not in html
    images = re.findall(r"<img[^>]*>", html)
    assert len(images) == 7
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in images)


@pytest.fixture
def opened(runs):
    """Open the page in a window this wide with the network off; at the end it must have said nothing and asked for nothing."""
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )

        def page_of(width: int):
            page = browser.new_context(viewport={"width": width, "height": 900}, offline=True).new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", lambda request: asked.append(request.url))
            page.goto((runs[0] / "report.html").as_uri())
            return page

        yield page_of
        browser.close()
    assert said == []
    assert asked and all(url.startswith(("file:", "data:")) for url in asked)


@needs_browser
def test_in_a_browser_with_the_network_off(opened):
    for width in (360, 1600):
        page = opened(width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        broken = page.evaluate("[...document.images].filter(i => !i.complete || i.naturalWidth === 0).length")
        assert broken == 0
        answer = page.locator("#answer").bounding_box()
        assert answer is not None
        assert answer["y"] + 200 < 900  # the verdict stands on the first screen
        for name in page.locator("nav a").evaluate_all("links => links.map(a => a.getAttribute('href'))"):
            assert page.locator(name).count() == 1
        posterior = page.locator("#odds-posterior")
        assert "until you set" in posterior.inner_text()  # no posterior without the reader's own prior
        assert page.locator("#odds-shown").inner_text() == "not set"
        page.locator("#odds-prior").fill("-2")
        assert page.locator("#odds-shown").inner_text() == "1 to 100"
        compared = 0
        for option in page.locator("#odds-pair option").all():
            page.locator("#odds-pair").select_option(label=option.inner_text())
            ratio, reason = float(option.get_attribute("value")), option.get_attribute("data-reason")
            if reason:
                assert posterior.inner_text() == f"not shown: {reason}"
            else:
                shown = [float(part.replace(",", "")) for part in posterior.inner_text().split(" to ")]
                assert shown[0] / shown[1] == pytest.approx(ratio / 100, rel=0.06)
                compared += 1
        assert compared


@needs_browser
def test_the_map_answers(opened, results):
    page = opened(1000)
    count, info, svg = page.locator("#map-count"), page.locator("#map-info"), page.locator("#map-svg")
    every = results["study"]["located"] + len(results["held_out"])
    assert int(count.inner_text()) == every == page.locator(".strike").count()
    page.locator("#map-day").fill("0")  # the first day
    assert page.locator("#map-date").inner_text() == results["study"]["first_date"]
    assert 0 < int(count.inner_text()) < every
    page.locator("#map-day").fill("100000")
    page.locator("[data-weapon=drone]").uncheck()
    assert 0 < int(count.inner_text()) < every
    page.locator("[data-weapon=drone]").check()
    assert int(count.inner_text()) == every
    assert not page.locator(".ring").first.is_visible()
    page.locator("[data-layer=rings]").check()
    assert page.locator("[data-name=rings]").get_attribute("hidden") is None
    whole = svg.get_attribute("viewBox")
    page.locator("#map-focus").click()
    near = svg.get_attribute("viewBox")
    assert float(near.split()[2]) < float(whole.split()[2])
    svg.focus()
    page.keyboard.press("ArrowLeft")
    assert svg.get_attribute("viewBox") != near
    page.keyboard.press("n")
    first = page.locator(".strike.chosen").get_attribute("data-told")
    assert info.inner_text().startswith(first) and info.locator("a").get_attribute("href").startswith("http")
    page.locator("[data-zoom='0']").click()
    assert [float(part) for part in svg.get_attribute("viewBox").split()] == [float(part) for part in whole.split()]


def test_numbers_click_through(runs):
    """Every link within the page leads somewhere: from the answer to how it was made, from claims to strikes, from both to sources."""
    html = (runs[0] / "report.html").read_text()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert links <= set(ids)
    assert {"how-excess", "how-primary", "how-located", "how-sites", "how-detectable", "how-size"} <= links
    for row in text.TRACE:
        file, *functions = row["made_by"].replace(",", "").split()
        source = (Path(__file__).parents[2] / file).read_text()
        assert all(f"def {name}(" in source for name in functions), row


def test_results_are_what_the_schema_says(runs, results):
    schema = json.loads((runs[0] / "results.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(results, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**results, "primary": {**results["primary"], "p_value": 1.2}}, schema)


def test_the_pdf_holds_the_page(runs, results):
    pdf = (runs[0] / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"pdfaid" in pdf
    setter = _Setter({name: "" for name in ("map", "curve", "null", "timing", "size", "checks", "specifications", "ratios")})
    setter.feed((runs[0] / "report.html").read_text())
    content = "".join(setter.parts)
    assert text.headline(results) in content
    for event in results["near"]:
        assert event["strike_id"] in content


def test_nothing_in_a_text_is_markup_of_the_pdf():
    page = '<html><title>t</title><p>#image("/etc/passwd") \\ "] #panic() $x$ <b>@a</b></p><table><tr><td class="n">*1*</td></tr></table></html>'
    assert to_pdf(page, {}, "2025-01-01").startswith(b"%PDF")


def test_the_answer_says_what_the_results_say(runs, results):
    for name in ("report.html", "report.md"):
        page = (runs[0] / name).read_text()
        for value in (results["excess"]["ratio"], results["excess"]["detectable"], *results["excess"]["interval"]):
            assert text.number(value) in page
        assert format_p(results["primary"]["p_value"]) in page
        assert text.headline(results) in page
        assert "does not show intent" in page


def test_parts_add_up(results):
    """Numbers that must agree do: a report whose parts contradict each other is not to be sent."""
    study = results["study"]
    assert results["flow"][0]["strikes"] == study["strikes"] == 585
    assert results["flow"][1]["strikes"] + len(results["held_out"]) == study["strikes"]
    assert results["flow"][-1]["strikes"] == study["located"] == results["primary"]["n"]
    assert study["baseline_total"] == pytest.approx(study["weight_total"], rel=1e-4)
    assert study["weight_total"] <= results["flow"][1]["strikes"] + 1e-6
    for count in results["counts"]:
        near = sum(1 for e in results["near"] if e["distance_m"] <= count["radius_m"])
        assert near == count["located_observed"]
    assert results["variants"][0]["p_value"] == results["primary"]["p_value"]
    looks = results["looks"]
    assert looks[0]["p_value"] == results["primary"]["p_value"]
    assert len(looks) == 2 + len(results["plan"]["secondary"]["radii_m"])
    assert all(row["max_t"] >= row["p_value"] - 1e-9 for row in looks)
    assert {row["by"] for row in results["elsewhere"]} == {"building_id", "sending_state"}
    for row in results["elsewhere"]:
        assert row["p_after"] >= row["p_before"] - 1e-9
        assert row["aim_distance_m"] >= 0
    chosen = next(b for b in results["baselines"] if b["bandwidth_m"] == results["plan"]["primary"]["bandwidth_m"])
    assert chosen["baseline"].startswith("kernel")
    p = (1 + sum(t >= results["primary"]["statistic"] for t in results["primary"]["simulated"])) / (1 + results["primary"]["n_simulations"])
    assert p == pytest.approx(results["primary"]["p_value"])
    rows = {row["claim_id"]: row for row in results["explanations"]["claims"]}
    assert {m["strike_id"] for row in rows.values() for m in row["matched"]} == {e["strike_id"] for e in results["held_out"]}
    assert results["explanations"]["aim_baselines"][0]["all_observed"] == pytest.approx(
        sum(e["weight"] for e in results["near"] if e["distance_m"] <= results["excess"]["radius"])
    )
    for row in results["timing"]["rows"]:
        assert (row["reason"] is None) == row["identifiable"] == (row["p_value"] is not None)
    held = {e["strike_id"] for e in results["held_out"]}
    assert not held & {e["strike_id"] for e in results["near"]}


def test_every_table_of_the_markdown_is_one(runs):
    """A table is a header, a rule below it and rows: as many cells in each, no line between."""
    for block in re.split(r"\n\n+", (runs[0] / "report.md").read_text()):
        if block.startswith("|"):
            lines = [re.sub(r"\\\|", "", line) for line in block.splitlines() if line.startswith("|")]
            assert re.fullmatch(r"\|(:?--:?\|)+", lines[1]), block[:200]
            assert len({line.count("|") for line in lines}) == 1, block[:200]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (text.number(-1234.567, 1), "−1,234.6"), (text.number(None), "–"), (text.number("inf"), "∞"),
        (text.ratio(0.25), "1/4"), (text.ratio(737.4), "737"), (text.ratio(1.0), "1"), (text.ratio(0.0), "under 1/1,000,000"),
        (text.percent(0.0672, 1), "6.7\u00a0%"), (text.plural("church"), "churches"), (text.plural("facility"), "facilities"),
    ],
)  # fmt: skip
def test_numbers_and_words_by_hand(written, expected):
    assert written == expected


def test_the_questions_of_time_are_printed_with_their_answer_or_reason(runs, results):
    for name in ("report.html", "report.md"):
        page = (runs[0] / name).read_text()
        for row in results["timing"]["rows"]:
            assert row["question"] in page
            assert (format_p(row["p_value"]) if row["identifiable"] else row["reason"].split(";")[0]) in page


def test_tables_are_those_of_the_results(runs, results):
    rows = list(csv.DictReader(io.StringIO((runs[0] / "tables/near.csv").read_text())))
    assert [r["strike_id"] for r in rows] == [e["strike_id"] for e in results["near"]]
    assert all(r["source_url"].startswith("http") for r in rows)


BAD = {
    "missing file": ("hand/strikes.csv", None, "strikes.csv: the file does not exist"),
    "wrong columns": ("hand/missions.csv", lambda t: t.replace("latitude", "lat", 1), "missions.csv, column latitude"),
    "text in a number": ("hand/strikes.csv", lambda t: t.replace(",50.4714,", ",north,", 1), "row 1, column latitude, value 'north'"),
    "swapped": ("hand/strikes.csv", lambda t: t.replace("30.5284,50.4714", "50.4714,30.5284", 1), "latitude and longitude look swapped"),
    "outside": ("hand/strikes.csv", lambda t: t.replace("30.5284,50.4714", "30.5284,52.4714", 1), "outside the window"),
    "repeated id": ("hand/strikes.csv", lambda t: t.replace("KYV-20220224-02", "KYV-20220224-01", 1), "must be unique"),
    "no strikes": ("hand/strikes.csv", lambda t: t.splitlines()[0] + "\n", "the file has no rows"),
    "no sites": ("hand/missions.csv", lambda t: t.splitlines()[0] + "\n", "the file has no rows"),
    "no sites left": ("plan.toml", lambda t: t.replace("max_uncertainty_m = 1000.0", "max_uncertainty_m = 1.0"), "leaves no sites"),
    "unknown key": ("plan.toml", lambda t: t + "\ncolour = 1\n", "plan.toml, column checks.colour: unknown key"),
    "wrong type": ("plan.toml", lambda t: t.replace("seed = 20251114", 'seed = "x"'), "column seed, value 'x': must be of type int"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_exit_two_and_nothing_written(facts, tmp_path, monkeypatch, capsys, name):
    file, change, said = BAD[name]
    path = facts / file
    if change is None:
        path.unlink()
    else:
        path.write_text(change(path.read_text()))
    out = tmp_path / "out"
    arguments = ["report", "--quick", "--data", str(facts / "hand"), "--plan", str(facts / "plan.toml"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["analysis", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not out.exists()


def test_an_output_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"."):
        write_files({"a/b.txt": b""}, tmp_path / "file")
    monkeypatch.setattr(sys, "argv", ["analysis", "report", "--plan", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    write_files({"a.txt": b"old"}, tmp_path)
    monkeypatch.setattr("os.replace", lambda a, b: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_files({"a.txt": b"new"}, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"old"


@pytest.fixture(scope="module")
def rough(plan):
    """The plan on cells of 200 m with few draws and a handful of specifications: for what the report does with it, not for its numbers."""
    second = dataclasses.replace(plan.secondary, curve_n_simulations=99, curve_step_m=1000.0, bandwidths_m=(1500.0,), radii_m=(500.0,))
    checks = dataclasses.replace(plan.checks, decays=("gaussian",), scales_m=(500.0,), placebo_draws=19)
    return dataclasses.replace(plan, cell_m=200.0, n_simulations=199, secondary=second, checks=checks)


@pytest.fixture(scope="module")
def coarse(kyiv, rough, root):
    """Another test than the one whose size was measured, at 10 % and with an exponential decay; the measured size is given all the same."""
    measured = Calibration.from_dict(json.loads((root / "data/calibration/primary.json").read_text()))
    primary = dataclasses.replace(rough.primary, level=0.1, decay="exponential", units="strike")
    return assess(kyiv, dataclasses.replace(rough, primary=primary), calibration=measured)


def test_without_a_measured_size_the_verdict_is_not_informative(coarse):
    """The size of another plan's test is not shown as that of this one."""
    assert coarse.verdict.answer == "not informative"
    assert "has not been measured" in coarse.verdict.rule
    files = render(coarse, command="x")
    page = files["report.html"].decode()
    assert "Not measured for this plan" in page and "whose size was not measured" in page
    assert "figures/size.png" not in files


def test_the_page_tells_the_test_that_was_run(coarse):
    """Its decay, its units, and intervals at its level: Garwood's at 90 % for the strikes within 500 m."""
    page = render(coarse, command="x")["report.html"].decode()
    assert "exp(−d / h)" in page and "exp(−d² / 2h²)" not in page
    assert "Strikes count as independent, also those of one attack." in page
    (count,) = coarse.counts
    assert "ratio (90\u00a0% interval)" in page
    low, high = gamma.ppf(0.05, count["located_observed"]), gamma.ppf(0.95, count["located_observed"] + 1)
    assert count["located_low"] * count["located_expected"] == pytest.approx(low)
    assert count["located_high"] * count["located_expected"] == pytest.approx(high)


@pytest.mark.parametrize("case", ["one strike", "no strike near"])
def test_a_study_with_next_to_nothing_is_not_informative(kyiv, rough, case):
    frame = kyiv.strikes.frame
    point = (frame["support"] == "point") & (frame["uncertainty_m"] <= rough.strikes.located_max_m)
    if case == "one strike":
        keep = point.cumsum().eq(1) & point
    else:
        keep = point & (kyiv.sites.distance(frame["easting"].fillna(0), frame["northing"].fillna(0)) > 3000)
    found = assess(dataclasses.replace(kyiv, strikes=kyiv.strikes.subset(keep.to_numpy())), rough)
    assert found.verdict.answer == "not informative"
    assert "not informative" in render(found, command="x")["report.html"].decode()


def test_hostile_text_is_shown_not_run(coarse):
    evil = {**coarse.near[0], "place": "<script>alert(1)</script>|`x`", "nearest": "=cmd()", "source_url": "javascript:alert(1)"}
    claims = [{**row, "claimed_effect": "<i>claim</i>"} for row in coarse.explanations.claims]
    spoilt = dataclasses.replace(coarse.explanations, claims=claims)
    rows = [{**coarse.timing.rows[3], "question": "<script>alert(2)</script>", "reason": "<script>alert(3)</script>"}]
    told = [{**coarse.timing.notified[0], "subject": "<script>alert(4)</script>"}]
    timing = dataclasses.replace(coarse.timing, rows=rows, notified=told)
    verdict = dataclasses.replace(coarse.verdict, fragile=("Leave one out: <script>alert(5)</script>",))
    hostile = dataclasses.replace(coarse, near=[evil], timing=timing, explanations=spoilt, verdict=verdict)
    files = render(hostile, command="<b>x</b>")
    assert "<script" not in files["report.md"].decode().replace("\\<", "")
    html = files["report.html"].decode()
    assert html.count("<script") == 2
    assert "alert(1)</script>" not in html
    assert "<i>claim</i>" not in html
    assert "&lt;i&gt;claim&lt;/i&gt;" in html
    assert "&lt;script&gt;" in html
    assert 'href="javascript' not in html
    assert "<b>x</b>" not in html
    row = next(csv.DictReader(io.StringIO(files["tables/near.csv"].decode())))
    assert row["nearest"] == "'=cmd()"


@pytest.mark.parametrize(
    ("p", "interval", "effective", "size", "answer"),
    [
        (0.01, (1.5, 4.0), 50, 0.05, "excess"),
        (0.30, (0.4, 1.7), 50, 0.05, "no excess"),
        (0.30, (0.4, 2.7), 50, 0.05, "not informative"),
        (0.01, (1.5, 4.0), 12, 0.05, "not informative"),
        (0.01, (1.5, 4.0), 50, 0.20, "not informative"),
        (0.01, (1.5, 4.0), 50, None, "not informative"),
    ],
)
def test_the_verdict_follows_its_rules(plan, coarse, p, interval, effective, size, answer):
    from analysis.checks import defining_parts, verdict

    row = {"world": "w", "truth": "smooth", "bandwidth_m": plan.primary.bandwidth_m, "rejected": 0, "share": size}
    measured = None if size is None else Calibration(defining_parts(plan), 1000, 499, 0.067, (row,), ())
    primary = dataclasses.replace(coarse.primary, p_value=p)
    excess = dataclasses.replace(coarse.excess, interval=interval)
    found = verdict(plan, primary, excess, effective, measured)
    assert found.answer == answer
    if (effective, size) != (50, 0.05):
        return  # the page of "not informative" is looked at for the third case
    page = render(dataclasses.replace(coarse, verdict=found, primary=primary, excess=excess), command="x")["report.html"].decode()
    assert text.HEADLINES[answer].format(sites="mission buildings", limit=2) in page
