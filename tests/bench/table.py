"""The one table of the bench: a task, a size, ours beside a peer, and how far the answers differ."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEAD = f"{'task':<52} {'n':>9} {'ours (s)':>10} {'peer (s)':>10} {'ratio':>7} {'differs by':>11}  peer"


@dataclass(frozen=True)
class Row:
    """Hold medians of one run. ``differs`` is the largest relative difference of the answers; None where they are random or there is no peer."""

    task: str
    n: int
    ours: float
    peer: str = ""
    theirs: float | None = None
    differs: float | None = None

    def __str__(self) -> str:
        theirs, ratio = ("-", "-") if self.theirs is None else (f"{self.theirs:.4g}", ratio_of(self))
        differs = "-" if self.differs is None else f"{self.differs:.0e}"
        return f"{self.task:<52} {self.n:>9,} {self.ours:>10.4g} {theirs:>10} {ratio:>7} {differs:>11}  {self.peer}"


def ratio_of(row: Row) -> str:
    """Give the peer's time over ours in two digits."""
    assert row.theirs is not None
    ratio = row.theirs / row.ours
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}" if ratio >= 0.95 else f"{ratio:.2f}"


def markdown(rows: list[Row]) -> str:
    """Give the rows as a Markdown table."""
    lines = ["| task | n | ours (s) | peer (s) | ratio | differs by | peer |", "|:--|--:|--:|--:|--:|--:|:--|"]
    for row in rows:
        theirs, ratio = ("", "") if row.theirs is None else (f"{row.theirs:.3g}", ratio_of(row))
        differs = "" if row.differs is None else f"{row.differs:.0e}"
        lines.append(f"| {row.task} | {row.n:,} | {row.ours:.3g} | {theirs} | {ratio} | {differs} | {row.peer} |")
    return "\n".join(lines)


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Give the median time of a call and its answer: of fifteen calls, of three above half a second, of one above ten."""
    times: list[float] = []
    while len(times) < (15 if not times or times[0] < 0.5 else 3 if times[0] < 10 else 1):
        began = time.perf_counter()
        answer = run()
        times.append(time.perf_counter() - began)
    return statistics.median(times), answer


def peak() -> float:
    """Give this process's largest memory in GB; ``ru_maxrss`` would be at least what its parent held when it started this one."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1e6
