"""The command line: report, assess, data, fetch, clean, trace, calibrate."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from joblib import parallel_config
from tqdm import tqdm

from .aim import explanation_study
from .assess import assess
from .checks import Calibration, calibrate, calibrate_focused, measure_sizes
from .figures import power_figure, sizes_figure
from .pattern import InputError, Plan, Study
from .report import StoredPieces, package, render, write_files
from .sources import (
    STRIKE_READERS,
    Source,
    clean,
    completeness,
    fetch,
    load_study,
    own_study,
    raion_offsets,
    read_areas,
    read_plan,
    read_registry,
    read_sites,
    read_window,
    trace_strike,
)
from .timing.size import timing_study

STEPS = 33  # pieces of assess()
CORES = os.cpu_count() or 1
app = typer.Typer(add_completion=True, no_args_is_help=True, pretty_exceptions_enable=False)

PlanOption = Annotated[Path, typer.Option("--plan", help="The plan: every choice of the analysis.")]
DataOption = Annotated[Path, typer.Option("--data", help="The folder of the coded facts.")]
WorkersOption = Annotated[int, typer.Option("--workers", min=1, help="Processes to share the work; the answer is the same for any number.")]
ClusterOption = Annotated[str, typer.Option("--cluster", help="Address of a dask scheduler to send the work to, like tcp://host:8786.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print results.json instead of the summary.")]
RawOption = Annotated[Path, typer.Option("--raw", help="The folder of downloads.")]
DATA, PLAN, CALIBRATION = Path("data/hand"), Path("data/plan.toml"), Path("data/calibration/primary.json")
REGISTRY, RAW, CLEAN = Path("data/sources.toml"), Path("data/raw"), Path("data/clean")


@app.callback()
def about() -> None:
    """Test whether strikes fall near diplomatic missions more often than baseline strike intensity predicts.

    The answer is excess, no excess or not informative; never a probability of intent. Begin with report, or with assess for your own files.

    Exit codes: 0 done; 1 memory ran out or a worker was lost; 2 input that cannot be used, or a place that cannot be written to: one line
    says which file, row, column and rule, and nothing is written; 130 interrupted. After 1 and 130 the same command goes on from what was
    finished.
    """


@app.command()
def report(
    quick: Annotated[bool, typer.Option("--quick", help="A first look: 999 draws, cells of 100 m.")] = False,
    plan: PlanOption = PLAN,
    data: DataOption = DATA,
    out: Annotated[Path, typer.Option("--out", help="Where to write.")] = Path("reports"),
    workers: WorkersOption = CORES,
    cluster: ClusterOption = "",
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the report: report.html, report.pdf, report.md, results.json with its schema, figures and tables.

    Every choice is in the plan: copy data/plan.toml, change a radius or a bandwidth, and give the copy with --plan and another folder with
    --out. A test whose size has not been measured for the plan gives "not informative".
    """
    chosen = read_plan(plan)
    study = load_study(data, chosen)
    given = [f"--plan={plan.name}"] * (plan != PLAN) + [f"--data={data.name}"] * (data != DATA)
    command = _command("report", *given, quick=quick) if given or quick else "make report"
    _report(study, chosen.quick() if quick else chosen, _calibration(CALIBRATION), command, out, _where(workers, cluster), quiet, as_json)


@contextmanager
def _where(workers: int, cluster: str) -> Iterator[None]:
    """Say where the pieces of a run are computed."""
    if not cluster:
        with parallel_config("loky", n_jobs=workers):
            yield
        return
    try:
        from distributed import Client
    except ImportError:
        raise InputError("needs the extra: pip install 'mission-strike-proximity[cluster]'", column="--cluster", value=cluster) from None
    try:
        client = Client(cluster, timeout=5)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(f"no dask scheduler answers there ({type(error).__name__})", column="--cluster", value=cluster) from None
    with client, parallel_config("dask"):
        yield


def _report(
    study: Study,
    plan: Plan,
    calibration: Calibration | None,
    command: str,
    out: Path,
    where: AbstractContextManager[None],
    quiet: bool,
    as_json: bool,
) -> None:
    with where, tqdm(total=STEPS, unit="step", disable=True if quiet else None) as bar:

        def say(step: str) -> None:
            bar.set_description(f"finished: {step}")
            bar.update()

        store = StoredPieces(out / ".pieces", study, plan, calibration)
        result = assess(study, plan, calibration=calibration, say=say, store=store)
    files = render(result, command=command)
    write_files(files, out)
    store.finish()
    if as_json:
        print(files["results.json"].decode(), end="")
    elif not quiet:
        print(result)
        print(f"\nWritten: {out / 'report.html'}")


def _command(*given: str, quick: bool) -> str:
    """Write what a reader types; files by their names, because folders differ from machine to machine."""
    return shlex.join(["python", "-m", "analysis", *given, *(["--quick"] if quick else [])])


def _calibration(path: Path) -> Calibration | None:
    if not path.is_file():
        return None
    try:
        return Calibration.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # no UTF-8, no JSON, or an InputError
        raise InputError(f"must hold a calibration, as make calibrate writes it ({error})", file=path) from None


@app.command(name="assess")
def assess_command(
    strikes: Annotated[Path, typer.Option("--strikes", help="Your strikes: CSV, Excel, GeoJSON, GeoPackage or GeoParquet.")],
    sites: Annotated[Path, typer.Option("--sites", help="Your protected sites, in any of these formats.")],
    window: Annotated[Path, typer.Option("--window", help="The window: polygons with a CRS.")],
    aim_points: Annotated[Path | None, typer.Option("--aim-points", help="Places that could themselves have been aimed at.")] = None,
    areas: Annotated[Path | None, typer.Option("--areas", help="Polygons with a name each, for strikes known to an area only.")] = None,
    placebo_sites: Annotated[
        list[Path] | None, typer.Option("--placebo-sites", help="Places that are no sites (schools.csv, hotels.csv); may be repeated.")
    ] = None,
    completeness: Annotated[Path | None, typer.Option("--completeness", help="completeness.csv, as clean writes it.")] = None,
    name: Annotated[str, typer.Option("--name", help="The place, as printed.")] = "",
    worlds: Annotated[int, typer.Option("--worlds", help="Simulated worlds of each kind to measure the test's size; 0: not measured.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A first look: 999 draws, cells of 100 m.")] = False,
    plan: PlanOption = PLAN,
    out: Annotated[Path, typer.Option("--out", help="Where to write.")] = Path("reports/own"),
    workers: WorkersOption = CORES,
    cluster: ClusterOption = "",
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run the same study on your own strikes and sites, and write its report.

    Without --worlds the verdict is "not informative", because the size of a test must be measured for the study at hand: 200 is a start,
    1000 is sound.
    """
    chosen = read_plan(plan)
    places = placebo_sites or []
    study = own_study(
        name or window.stem, strikes, sites, window, chosen,
        areas=areas, aim_points=aim_points, placebo_sites=places, completeness=completeness,
    )  # fmt: skip
    measured = None
    if worlds:
        measured = calibrate(study, chosen, n_worlds=worlds, n_intervals=max(20, worlds // 5), progress=_progress)
    files = [("strikes", strikes), ("sites", sites), ("window", window), ("plan", plan), ("aim-points", aim_points), ("areas", areas),
             *(("placebo-sites", path) for path in places), ("completeness", completeness)]  # fmt: skip
    given = [f"--{key}={path.name}" for key, path in files if path is not None]
    given += [f"--name={name}"] * bool(name) + [f"--worlds={worlds}"] * bool(worlds)
    command = _command("assess", *given, quick=quick)
    _report(study, chosen.quick() if quick else chosen, measured, command, out, _where(workers, cluster), quiet, as_json)


@app.command(name="fetch")
def fetch_command(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources to fetch; all that have a URL when none is named.")] = None,
    mirror: Annotated[str, typer.Option("--mirror", help="A folder or base URL with the same file names.")] = "",
    raw: RawOption = RAW,
) -> None:
    """Download public data to data/raw, each checked by its SHA-256, and record where each file came from."""
    registry = read_registry(REGISTRY)
    chosen = [_known(registry, name) for name in sources] if sources else [source for source in registry.values() if source.url]
    for source, done in fetch(chosen, raw, mirror=mirror, bar=sys.stderr.isatty()):
        print(f"{source.id:<28} {done:<14} {raw / source.file}")


@app.command(name="clean")
def clean_command(
    sources: Annotated[list[str], typer.Argument(help="Sources of strikes, fetched before.")],
    window: Annotated[Path, typer.Option("--window", help="The window: polygons with a CRS.")],
    prefix: Annotated[str, typer.Option("--prefix", help="First letters of the ids of strikes.")] = "STR",
    areas: Annotated[Path | None, typer.Option("--areas", help="Polygons with a name each.")] = None,
    sites: Annotated[Path | None, typer.Option("--sites", help="Sites, to estimate completeness near to them and far.")] = None,
    plan: PlanOption = PLAN,
    raw: RawOption = RAW,
    out: Annotated[Path, typer.Option("--out", help="Where to write.")] = CLEAN,
) -> None:
    """Make clean strikes from raw rows in counted steps, and write them with their trace and every rejected row."""
    registry, chosen = read_registry(REGISTRY), read_plan(plan)
    used = {name: _known(registry, name) for name in sources}
    for source in used.values():
        if source.reader not in STRIKE_READERS:
            raise InputError("is not a source of strikes", value=source.id)
    region = read_window(window)
    named = {} if areas is None else read_areas(areas, region, "name")
    tables = [STRIKE_READERS[source.reader](raw / source.file, source.id) for source in used.values()]
    last = {source.id: source.last_date for source in used.values() if source.last_date}
    found = clean(tables, region, named, chosen.clean, prefix, last_dates=last)
    known = None if sites is None else read_sites(sites, region, chosen)
    estimates = completeness(found, known, near_m=chosen.clean.near_m)
    write_files(package(found, estimates, used, region.crs, window.stem), out)
    print(found.flow.to_string(index=False))
    for e in estimates:
        total = e.said if e.total is None else f"{e.total:.0f} strikes, of which {e.completeness:.0%} are in one or both"
        print(f"{e.first} and {e.second}, {e.where}: {e.in_first}, {e.in_second}, in both {e.in_both}; {total}")
    print(f"\nWritten: {out / 'strikes.csv'}")


@app.command(name="trace")
def trace_command(
    strike_id: Annotated[str, typer.Argument(help="A strike of data/clean or data/hand.")],
    clean: Annotated[Path, typer.Option("--clean", help="The folder of clean strikes.")] = CLEAN,
    data: DataOption = DATA,
) -> None:
    """Say what is behind a strike: its raw rows, their file, the file's SHA-256 and where it came from."""
    for row in trace_strike(strike_id, clean, data):
        print(f"{row['strike_id']}\n  row     {row['row']} ({row['raw_id']}) of {row['source']}\n  file    {row['file']}")
        print(f"  sha256  {row['sha256']}\n  url     {row['url']}")


def _known(registry: dict[str, Source], name: str) -> Source:
    if name not in registry:
        raise InputError(f"no such source; there are {', '.join(registry)}", value=name)
    return registry[name]


@app.command()
def data(plan: PlanOption = PLAN, data: DataOption = DATA) -> None:
    """Validate the coded facts and cross-check positions against the raion polygons."""
    study = load_study(data, read_plan(plan))
    assert study.sources is not None
    print(study.sources.assign(sha256=study.sources["sha256"].str[:12]).to_string(index=False))
    frame = study.strikes.frame
    off = raion_offsets(frame, study.areas)
    point = frame["support"] == "point"
    print(f"\n{study.strikes.n} strikes in {study.strikes.n_attacks} attacks; {int(point.sum())} with coordinates, the rest by raion only")
    print(f"{int((off > 0).sum())} points lie outside their raion's simplified polygon, by {off.max():.0f} m at most")
    print(f"{int((frame['moved_m'] > 0).sum())} points lay outside the simplified window, by {frame['moved_m'].max():.0f} m at most")
    print(f"{int((frame['selection'] == 'prompting').sum())} strikes are held out as prompting the study")
    print(f"{study.sites.n} missions in {study.sites.buildings().n} buildings")


class Part(StrEnum):
    """What can be calibrated."""

    primary = "primary"
    focused = "focused"
    timing = "timing"
    explanations = "explanations"
    sizes = "sizes"


@app.command(name="calibrate")
def calibrate_command(
    part: Annotated[Part, typer.Argument(help="Which study.")] = Part.primary,
    worlds: Annotated[int | None, typer.Option("--worlds", min=20, help="Simulated worlds of each kind; default as stored.")] = None,
    plan: PlanOption = PLAN,
    data: DataOption = DATA,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = CALIBRATION.parent,
) -> None:
    """Measure how often tests reject in simulated worlds whose truth is known.

    primary: size, power and intervals of the plan's primary test (20 minutes). focused: the tests around given sites (15). timing: the
    tests of time (5). explanations: which explanation is concluded where each is true (6). sizes: every test under every null (20).
    """
    chosen = read_plan(plan)
    study = load_study(data, chosen)
    n = worlds or {"primary": 1000, "focused": 200, "timing": 500, "explanations": 150, "sizes": 150}[part]
    pictures: dict[str, bytes] = {}
    if part is Part.primary:
        found = calibrate(study, chosen, n_worlds=n, n_intervals=max(20, n // 5), progress=_progress).to_dict()
    elif part is Part.focused:
        measured = calibrate_focused(study, chosen, n_worlds=n, n_power=max(20, n // 2), progress=_progress)
        found, pictures["power.png"] = measured.to_dict(), power_figure(measured)
    elif part is Part.timing:
        found = timing_study(n, chosen.seed)
    elif part is Part.explanations:
        found = explanation_study(study, chosen, n_worlds=n, rng=1)
    else:
        sizes = measure_sizes(study, chosen, n_worlds=n, n_dear=max(20, n // 3), progress=_progress)
        found, pictures["sizes.png"] = sizes.to_dict(), sizes_figure(sizes)
    ascii_only = part in (Part.timing, Part.explanations)
    content = json.dumps(found, indent=1, ensure_ascii=ascii_only) + "\n"
    write_files({f"{part}.json": content.encode()}, out)
    if pictures and worlds is None:
        write_files(pictures, Path("docs"))
    print(f"Written: {out / f'{part}.json'}")


def _progress(items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
    yield from tqdm(items, total=total, desc=label, disable=None)


def main() -> None:
    """Run, and turn what went wrong into one line and an exit code, as :func:`about` lists them."""
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except SystemExit as stopped:  # typer's way to say that it was interrupted
        if stopped.code != 130:
            raise
        print("interrupted; nothing half-written was left, and the same command goes on from the finished pieces", file=sys.stderr)
        os._exit(130)
    except (MemoryError, BrokenProcessPool) as error:
        what = f"memory ran out ({error})" if isinstance(error, MemoryError) else "a worker was killed, most often for want of memory"
        advice = "fewer --workers or a larger cell_m need less, and the same command goes on from what was finished"
        print(f"error: {what}; {advice}", file=sys.stderr)
        os._exit(1)
    except OSError as error:
        print(f"error: {error.filename or 'system'}: {error.strerror or error}", file=sys.stderr)
        raise SystemExit(2) from None
