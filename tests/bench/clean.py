"""Time and memory of cleaning: read, validate, cluster and write synthetic media items. Run: python tests/bench/clean.py [rows ...]

Each size runs the command line in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
SIZES = (250_000, 500_000, 1_000_000)
RUN = """
import resource, sys, time
from analysis.cli import main
began = time.perf_counter()
try:
    main()
except SystemExit as stopped:
    assert not stopped.code, stopped.code
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"{time.perf_counter() - began:.1f} {used.ru_utime + used.ru_stime:.1f} {used.ru_maxrss / 1e6:.2f}", file=sys.stderr)
"""


def make(path: Path, n: int) -> None:
    """Write n items in a box around Kyiv, on 288 days: three on average for each place struck."""
    draw = np.random.default_rng(1)
    place = draw.integers(0, n // 3, n)
    e, y, day = (draw.uniform(low, high, n // 3)[place] for low, high in ((30.25, 30.82), (50.22, 50.58), (0, 287)))
    frame = pd.DataFrame(
        {"entry": np.char.add("UW", np.arange(n).astype(str)), "date": (np.datetime64("2022-02-24") + day.astype(int)).astype(str),
         "event_group": "Bombing or Explosion", "brief description": "Strike on a house, smoke rising", "lat": (y + draw.normal(0, 2e-4, n)).round(6),
         "lon": (e + draw.normal(0, 3e-4, n)).round(6), "arms/munition": draw.choice(["", "Shahed-136", "Kalibr"], n), "link": "https://example.org/item"}
    )  # fmt: skip
    frame.to_csv(path, index=False)


def main() -> None:
    """Print rows, seconds, CPU seconds and peak memory (GB)."""
    print(f"{'rows':>10} {'seconds':>8} {'CPU s':>8} {'peak GB':>8}")
    for n in [int(size) for size in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cir_eyesonrussia_2022/events.csv"
            path.parent.mkdir()
            make(path, n)
            arguments = ["clean", "eyes_on_russia", "--raw", folder, "--window", "data/hand/kyiv_window.geojson", "--out", f"{folder}/out"]
            done = subprocess.run([sys.executable, "-c", RUN, *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
            seconds, cpu, peak = done.stderr.split()[-3:]
            print(f"{n:>10,} {seconds:>8} {cpu:>8} {peak:>8}", flush=True)


if __name__ == "__main__":
    main()
