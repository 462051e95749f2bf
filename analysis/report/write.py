"""Render an assessment in memory, then write its files whole: an interrupted run leaves no half-written file."""

from __future__ import annotations

import base64
import csv
import fcntl
import importlib.metadata
import io
import json
import math
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from ..assess import Assessment
from ..figures import (
    draw_checks,
    draw_curve,
    draw_map,
    draw_near_repeats,
    draw_null,
    draw_ratios,
    draw_size,
    draw_specifications,
    draw_timing,
    figure,
)
from ..inference import format_p
from . import text
from .map import map_parts
from .pdf import to_pdf

PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "shapely", "pyproj", "geopandas", "matplotlib")
FORMULA = r"[=+\-@\t\r]"  # what a spreadsheet takes for the beginning of a formula
TABLES = ("counts", "looks", "elsewhere", "variants", "baselines", "berman", "flow", "near", "held_out")


def render(assessment: Assessment, *, command: str) -> dict[str, bytes]:
    """Give every file of the report by its name under the output folder. Nothing is written.

    Parameters
    ----------
    assessment : Assessment
    command : str
        What a reader types to make the report again.

    Returns
    -------
    dict of bytes
        The page (HTML, PDF, Markdown), ``results.json`` with its schema, figures (PNG, SVG) and tables (CSV).

    Notes
    -----
    The same assessment and command give the same bytes: no clock, no place, no order of hashes enters.
    """
    results_json = json.dumps(assessment.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    results: dict[str, Any] = json.loads(results_json)  # the prose reads what is in the file, not what was in memory
    pictures = _figures(assessment)
    context = _context(assessment, results, command)
    files = {"results.json": results_json.encode(), "results.schema.json": (Path(__file__).parent / "results.schema.json").read_bytes()}
    for name, drawing in pictures.items():
        files[f"figures/{name}.png"] = drawing.png
        files[f"figures/{name}.svg"] = drawing.svg
    for name in TABLES:
        files[f"tables/{name}.csv"] = _csv(results[name])
    for check in results["checks"]:
        files[f"tables/check_{re.sub('[^a-z]+', '_', check['name'])}.csv"] = _csv(check["table"])
    claims = results["explanations"]["claims"]
    files["tables/claims.csv"] = _csv([{k: v for k, v in claim.items() if not isinstance(v, list)} for claim in claims])

    def fig(name: str) -> Markup:
        data = base64.b64encode(pictures[name].png).decode()
        caption = context["captions"][name]
        return Markup(
            f'<figure data-figure="{name}"><img src="data:image/png;base64,{data}" alt="{escape(caption["alt"])}"><figcaption>{escape(caption["text"])}</figcaption></figure>'
        )

    environment = _environment(autoescape=True)
    html = environment.get_template("report.html.j2").render(**context, fig=fig)
    markdown = _environment(autoescape=False).get_template("report.md.j2").render(**context)
    files["report.html"] = html.encode()
    files["report.pdf"] = to_pdf(
        html, {name: (drawing.svg, context["captions"][name]["alt"]) for name, drawing in pictures.items()}, results["study"]["last_date"]
    )
    files["report.md"] = markdown.encode()
    return files


def write_files(files: dict[str, bytes], folder: Path) -> None:
    """Write all files under temporary names, then rename them: on a full disk what was there before stays, whole.

    Temporary files that a killed run left beside the targets are removed; a second run into the folder waits for its turn.

    Parameters
    ----------
    files : {name: bytes}
        Names may lead into folders below ``folder``, which is made where it is missing.
    folder : Path

    Raises
    ------
    OSError
        If a file or the folder cannot be written; nothing under a final name has changed then, unless the renaming itself failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    staged: dict[str, Path] = {}
    with _turn(folder) as alone:
        try:
            for name, content in files.items():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                for left in target.parent.glob(f".{target.name}.*.tmp") if alone else ():
                    left.unlink()
                handle, staged_at = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
                staged[staged_at] = target
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                os.chmod(staged_at, 0o644)
            for staged_at, target in staged.items():
                os.replace(staged_at, target)
        except BaseException:
            for staged_at in staged:
                Path(staged_at).unlink(missing_ok=True)
            raise


@contextmanager
def _turn(folder: Path) -> Iterator[bool]:
    """Wait until no other run writes to the folder; False where the file system knows no locks."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _environment(*, autoescape: bool) -> jinja2.Environment:
    loader = jinja2.PackageLoader("analysis.report")
    environment = jinja2.Environment(loader=loader, autoescape=autoescape, undefined=jinja2.StrictUndefined)
    environment.filters.update(number=text.number, p=format_p, percent=text.percent, md=_markdown, exp=lambda x: math.exp(min(x, 700.0)))
    environment.globals.update(link=_link, ratio=text.ratio)
    return environment


def _markdown(value: object) -> str:
    line = " ".join(str(value).split())
    for mark in "\\`*_[]<>|":
        line = line.replace(mark, "\\" + mark)
    return line


def _link(url: object, label: object) -> Markup:
    """Link a source; anything that is not a web address is shown as text."""
    if str(url).startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noreferrer noopener">{}</a>').format(url, label)
    return Markup("{}").format(f"{label}: {url}")


def _figures(a: Assessment) -> dict[str, Any]:
    credit, words = a.study.credit, text.plural(a.plan.site_word)
    shown = a.study.window, a.design.points, a.design.sites
    beside: dict[str, Any] = {"areas": a.study.areas, "aim_points": a.study.aim_points, "site_label": words}
    with figure(8.4, 7.6, source=credit) as drawn_map:
        draw_map(*shown, drawn_map.ax, baseline=a.baseline, **beside)
    with figure(8.4, 7.6, source=credit) as centre:
        draw_map(*shown, centre.ax, bar_km=1.0, centre=True, **beside)
    with figure(source=credit) as curve:
        draw_curve(a.curve, curve.ax, site=a.plan.site_word)
    with figure(height=3.4, source=credit) as null:
        draw_null(a.primary, null.ax)
    repeats = bool(a.timing.near_repeat)
    with figure(9.6 if repeats else 7.2, 3.8, source=credit, panels=1 + repeats) as timing:
        draw_timing(a.timing, timing.ax, sites=words)
        if repeats:
            draw_near_repeats(a.timing, timing.axes[1])
    with figure(8.4, 6.2, source=credit) as checks:
        draw_checks(a.checks, checks.ax)
    with figure(8.4, 7.6, source=credit) as specifications:
        (curve_of,) = (check for check in a.checks if check.name == "specification curve")
        draw_specifications(curve_of.table, a.plan.primary.level, specifications.ax)
    pictures = {"map": drawn_map, "centre": centre, "curve": curve, "null": null, "checks": checks, "specifications": specifications,
                "timing": timing}  # fmt: skip
    single = [c for c in a.explanations.to_dict()["comparisons"] if c["claim"]]
    if single:
        panels = len({c["claim"] for c in single})
        with figure(max(4.2, 3.2 * panels), 4.6, source=credit, panels=panels) as ratios:
            draw_ratios(single, ratios.axes)
        pictures["ratios"] = ratios
    if a.calibration is not None:
        with figure(8.4, 4.2, source="Simulated worlds.") as size:
            draw_size(a.calibration, a.plan.primary.level, size.ax)
        pictures["size"] = size
    return pictures


def _context(a: Assessment, results: dict[str, Any], command: str) -> dict[str, Any]:
    worlds: dict[tuple[str, str], dict[float, float]] = {}  # world and truth: the share that rejects, by bandwidth
    for row in (results["calibration"] or {"rows": ()})["rows"]:
        worlds.setdefault((row["world"], row["truth"]), {})[row["bandwidth_m"]] = row["share"]
    sizes, planned = text.measured_sizes(results), results["plan"]["primary"]["bandwidth_m"]
    return {
        "r": results,
        "headline": text.headline(results),
        "answer": text.answer(results),
        "quotable": text.quotable(results),
        "limits": text.limits(results),
        "size": sizes.get(planned),
        "sizes": {f"kernel {bandwidth:g} m": share for bandwidth, share in sizes.items()},
        "planned": f"kernel {planned:g} m",
        "worlds": worlds,
        "bandwidths": list(sizes),
        "captions": _captions(results),
        "m": map_parts(a),
        "trace": text.TRACE,
        "command": command,
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "source": a.study.credit,
        "site": a.plan.site_word,
        "sites": text.plural(a.plan.site_word),
    }


def _captions(r: dict[str, Any]) -> dict[str, dict[str, str]]:
    study, curve, primary, sites = r["study"], r["curve"], r["primary"], text.plural(r["plan"]["site_word"])
    along = list(zip(curve["distance"], curve["observed"], curve["lower"], curve["upper"], strict=True))
    outside = [d for d, o, low, high in along if not low <= o <= high]
    where = "at no distance"
    if outside:
        nearest, farthest = text.number(min(outside), 0), text.number(max(outside), 0)
        where = f"at {len(outside)} of {len(along)} distances, the nearest {nearest} m and the farthest {farthest} m"
    repeats = (
        f" Right: pairs of strikes of different attacks, observed over expected and how many; bold where max-T is at most "
        f"{text.percent(1 - r['timing']['level'])}."
    )
    return {
        "map": {
            "alt": f"Map of {study['name']}: located strikes, {sites}, aim points and the baseline",
            "text": f"{study['located']} located strikes (orange, with their location error to scale), {study['sites_tested']} {sites} "
            "(blue) and places that could themselves have been aimed at (triangles), where given, on the baseline of the primary test. Where strikes and "
            f"{sites} share a dense centre, only a baseline tells nearness from crowding.",
        },
        "centre": {
            "alt": f"Map of the centre of {study['name']}: located strikes, {sites} and aim points",
            "text": "The centre at a larger scale. Discs show one standard deviation of each strike's position.",
        },
        "curve": {
            "alt": "Observed over expected strikes against distance, with a global envelope",
            "text": f"Observed over expected strikes, weighted, within each distance. Under the null the whole line stays in the band with "
            f"probability {text.percent(curve['level'])} ({curve['measure']}; {text.number(curve['n_simulations'], 0)} draws; "
            f"p = {format_p(curve['p_value'])}). The observed line leaves it {where}.",
        },
        "null": {
            "alt": "Histogram of the decay score in draws from the null, and the observed value",
            "text": f"The statistic of the primary test in {text.number(primary['n_simulations'], 0)} draws from the null, and as observed. "
            "The null need not be centred on zero, because smoothing lowers the baseline where strikes crowd; the draws share that.",
        },
        "timing": {
            "alt": f"Share of located strikes fallen by each day, near {sites} and elsewhere",
            "text": f"When located strikes fell within {text.number(r['timing']['radius'], 0)} m of {sites}, and when elsewhere. How many are located "
            "changes over time, so only the distance between the lines speaks. Strikes of one attack fall together, so a gap of a few steps says "
            "nothing; the tests below count attacks. Bands are the notifications examined, as wide as their date is uncertain."
            + (repeats if r["timing"]["near_repeat"] else ""),
        },
        "size": {
            "alt": "Share of simulated worlds in which the test rejects, against the bandwidth, one line for each world",
            "text": "Blue and dashed lines, worlds without an excess, should stay in the grey band. Orange lines are worlds with an excess: there, "
            "higher is better. Dotted: no excess either, but strikes near sites are located twice as often, which the test takes for one.",
        },
        "checks": {
            "alt": "One row for each check: the answer stands, is overturned, or the data do not say",
            "text": "Every check, in the order of the table below.",
        },
        "specifications": {
            "alt": "Specification curve: the p-value of every specification in order, and the choices each makes",
            "text": next(check["text"] for check in r["checks"] if check["name"] == "specification curve")
            + " Orange: at or below the level. Each specification has draws of its own baseline; the joint p runs all of them on the same "
            "draws from the primary null.",
        },
        "ratios": {
            "alt": "Likelihood ratio of aim at the mission over each rival explanation, along the CEP, one panel for each claim",
            "text": "Aim at the mission over each rival, were the CEP known. Thick: the claimed distance taken as exact. Thin: the position as the "
            "data hold it; the larger its location error, the nearer to 1. Shaded: the published CEPs of the weapon claimed. A short CEP makes a "
            "miss of many times its length speak against the mission.",
        },
    }  # fmt: skip


def _csv(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows([{key: _cell(value) for key, value in row.items()} for row in rows])
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    """Keep a spreadsheet from running text as a formula."""
    return f"'{value}" if isinstance(value, str) and re.match(FORMULA, value) else value
