"""Downloads: from a folder, from a server on this machine, spoilt, killed and repeated."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from analysis.pattern import InputError
from analysis.sources import Source, fetch, read_manifest, read_registry

CONTENT = b"a,b\n1,2\n" * 1000


def source(**changes) -> Source:
    values = {"id": "s", "title": "t", "publisher": "p", "url": "", "file": "sub/x.csv", "licence": "CC0", "redistributable": True, "citation": "c.",
              "sha256": hashlib.sha256(CONTENT).hexdigest(), "reader": "ucdp", "precision": "none"}  # fmt: skip
    return Source(**{**values, **changes})


@pytest.fixture
def mirror(tmp_path) -> Path:
    path = tmp_path / "mirror" / "sub" / "x.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return tmp_path / "mirror"


@pytest.fixture
def server(mirror):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(mirror))

        def log_message(self, *args):
            pass

        def do_GET(self):
            if self.path.endswith("cut.csv"):
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                self.wfile.write(CONTENT[:100])
            elif self.path.endswith("slow.csv"):
                self.send_response(200)
                self.send_header("Content-Length", str(10**9))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    while True:
                        self.wfile.write(CONTENT)
                        time.sleep(0.01)
            else:
                super().do_GET()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def names(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_from_a_folder_and_again(tmp_path, mirror):
    raw = tmp_path / "raw"
    assert [done for _, done in fetch([source()], raw, mirror=str(mirror))] == ["fetched"]
    assert (raw / "sub/x.csv").read_bytes() == CONTENT
    entry = json.loads((raw / "manifest.json").read_text())["s"]
    assert (entry["bytes"], entry["sha256"]) == (len(CONTENT), source().sha256)
    assert entry["url"].endswith("sub/x.csv")
    assert [done for _, done in fetch([source()], raw, mirror="/nowhere")] == ["there already"]


def test_from_a_server(tmp_path, server):
    raw = tmp_path / "raw"
    assert [done for _, done in fetch([source()], raw, mirror=server + "/")] == ["fetched"]
    assert names(raw) == {"sub/x.csv", "manifest.json"}


def test_a_wrong_sum_is_refused_and_what_was_there_stays(tmp_path, mirror):
    raw = tmp_path / "raw"
    list(fetch([source(sha256="unpinned")], raw, mirror=str(mirror)))
    with pytest.raises(InputError, match="has the wrong sum"):
        list(fetch([source(sha256="0" * 64)], raw, mirror=str(mirror)))
    assert (raw / "sub/x.csv").read_bytes() == CONTENT
    assert names(raw) == {"sub/x.csv", "manifest.json"}


@pytest.mark.parametrize("file", ["cut.csv", "missing.csv"])
def test_a_broken_download_leaves_nothing(tmp_path, server, file):
    raw = tmp_path / "raw"
    with pytest.raises(InputError, match="cannot be downloaded"):
        list(fetch([source(file=file, sha256="unpinned")], raw, mirror=server))
    assert names(raw) == set()


def test_after_a_kill_the_next_run_finishes(tmp_path, mirror):
    raw = tmp_path / "raw"
    (raw / "sub").mkdir(parents=True)
    (raw / "sub/.part-x.csv").write_bytes(CONTENT[:50])  # what a killed run leaves
    (raw / "sub/x.csv").write_bytes(CONTENT[:70])  # what no run leaves, but a full disk or a hand might
    assert [done for _, done in fetch([source()], raw, mirror=str(mirror))] == ["fetched"]
    assert names(raw) == {"sub/x.csv", "manifest.json"}


KILLED = """
import sys
from pathlib import Path
from analysis.sources import Source, fetch
list(fetch([Source("s", "t", "p", sys.argv[1], "sub/slow.csv", "none", False, "c.", "unpinned", "ucdp", "none")], Path(sys.argv[2])))
"""


def test_killed_in_the_middle_of_a_download(tmp_path, server, root):
    """SIGKILL with a part on disk: no file under its name, and the next run has it whole."""
    raw = tmp_path / "raw"
    child = subprocess.Popen([sys.executable, "-c", KILLED, f"{server}/slow.csv", str(raw)], cwd=root)
    deadline = time.monotonic() + 60
    while not any(p.stat().st_size for p in raw.rglob("*") if p.is_file()) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert names(raw) == {"sub/.part-slow.csv"}
    assert [done for _, done in fetch([source()], raw, mirror=server)] == ["fetched"]
    assert names(raw) == {"sub/x.csv", "manifest.json"}


def test_an_unpinned_file_that_changed_since_is_fetched_again(tmp_path, mirror):
    raw = tmp_path / "raw"
    free = source(sha256="unpinned")
    list(fetch([free], raw, mirror=str(mirror)))
    assert [done for _, done in fetch([free], raw, mirror=str(mirror))] == ["there already"]
    (raw / "sub/x.csv").write_bytes(b"other")
    assert [done for _, done in fetch([free], raw, mirror=str(mirror))] == ["fetched"]


def test_what_the_user_must_supply(tmp_path):
    with pytest.raises(InputError, match="must be supplied by you"):
        list(fetch([source()], tmp_path / "raw"))
    (tmp_path / "raw/manifest.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(tmp_path / "raw")


def test_the_registry_is_whole(root):
    registry = read_registry(root / "data/sources.toml")
    assert {"bellingcat", "eyes_on_russia", "ucdp_ged", "ucdp_candidate", "acled", "viina_2022", "geoconfirmed", "missile_attacks", "air_raid_alerts",
            "embassies", "osm_missions", "wikidata_missions"} <= set(registry)  # fmt: skip
    assert not registry["acled"].redistributable
    for entry in registry.values():
        assert entry.licence
        assert entry.citation.endswith(".")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.replace('sha256 = "unpinned"', 'sha256 = "abc"', 1), "64 hexadecimal digits"),
        (lambda t: t.replace('reader = "acled"', 'reader = "magic"'), "no such reader"),
        (lambda t: t.replace('file = "acled/acled.csv"', 'file = "../acled.csv"'), "inside the folder"),
        (lambda t: t.replace("redistributable = true", 'redistributable = "yes"', 1), "must be true or false"),
        (lambda t: t + "\ncolour = 1\n", "unknown key"),
        (lambda t: t.replace('title = "ACLED export"\n', ""), "missing key"),
        (
            lambda t: t.replace('file = "acled/acled.csv"', 'file = "embassies/database_of_embassies_2022-11-16.csv"'),
            "two sources have this file",
        ),
        (lambda t: t.replace('last_date = "2022-12-08"', 'last_date = "8.12.2022"'), "must be a date"),
        (lambda t: "[", "must be a TOML file"),
    ],
)
def test_a_spoilt_registry_is_one_line(root, tmp_path, change, said):
    path = tmp_path / "sources.toml"
    path.write_text(change((root / "data/sources.toml").read_text()))
    with pytest.raises(InputError, match=said):
        read_registry(path)
