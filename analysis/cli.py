"""The command line: report, data, calibrate, notebooks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from .assess import assess
from .checks import Calibration, calibrate
from .pattern import InputError
from .report import render, write_files
from .sources import load_study, raion_offsets, read_plan

STEPS = 7  # steps that assess() announces
app = typer.Typer(add_completion=True, no_args_is_help=True, pretty_exceptions_enable=False)

PlanOption = Annotated[Path, typer.Option("--plan", help="The plan: every choice of the analysis.")]
DataOption = Annotated[Path, typer.Option("--data", help="The folder of the coded facts.")]
DATA, PLAN, CALIBRATION = Path("data/hand"), Path("data/plan.toml"), Path("data/calibration/primary.json")


@app.callback()
def about() -> None:
    """Test whether strikes fall near diplomatic missions more often than baseline strike intensity predicts.

    Exit codes: 0 done, 2 input that cannot be used (one line says which file, row, column and rule), 130 interrupted.
    """


@app.command()
def report(
    quick: Annotated[bool, typer.Option("--quick", help="Use 999 draws instead of the plan's number, for a first look.")] = False,
    plan: PlanOption = PLAN,
    data: DataOption = DATA,
    out: Annotated[Path, typer.Option("--out", help="Where to write.")] = Path("reports"),
) -> None:
    """Write the report: report.html, report.md, results.json, figures and tables."""
    chosen = read_plan(plan)
    study = load_study(data, chosen)
    chosen = chosen.quick() if quick else chosen
    with tqdm(total=STEPS, unit="step", disable=None) as bar:

        def say(step: str) -> None:
            bar.set_description(step)
            bar.update()

        result = assess(study, chosen, calibration=_calibration(CALIBRATION), say=say)
    command = "make report" if (plan, data, quick) == (PLAN, DATA, False) else _command(quick, plan, data)
    write_files(render(result, command=command), out)
    print(result)
    print(f"\nWritten: {out / 'report.html'}")


def _command(quick: bool, plan: Path, data: Path) -> str:
    return " ".join(["python -m analysis report", *(["--quick"] if quick else []), f"--plan {plan.name} --data {data.name}"])


def _calibration(path: Path) -> Calibration | None:
    if not path.is_file():
        return None
    try:
        return Calibration.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, InputError) as error:
        raise InputError(f"must hold a calibration, as make calibrate writes it ({error})", file=path) from None


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


@app.command(name="calibrate")
def calibrate_command(
    worlds: Annotated[int, typer.Option("--worlds", min=20, help="Simulated worlds of each kind.")] = 1000,
    plan: PlanOption = PLAN,
    data: DataOption = DATA,
    out: Annotated[Path, typer.Option("--out", help="Where to write.")] = CALIBRATION,
) -> None:
    """Measure size and power of the plan's primary test in simulated worlds (tens of minutes with 1,000 worlds)."""

    def progress(items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
        yield from tqdm(items, total=total, desc=label, disable=None)

    chosen = read_plan(plan)
    found = calibrate(load_study(data, chosen), chosen, n_worlds=worlds, n_intervals=max(20, worlds // 5), progress=progress)
    content = json.dumps(found.to_dict(), indent=1, ensure_ascii=False) + "\n"
    write_files({out.name: content.encode()}, out.parent)
    for row in found.rows:
        print(f"{row['world']:<40} {row['bandwidth_m']:>6g} m  {row['share']:.3f}")


def main() -> None:
    """Run, and turn bad input into one line and exit code 2."""
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("interrupted; nothing half-written was left", file=sys.stderr)
        os._exit(130)
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        raise SystemExit(2) from None
