"""The documentation site: it builds, asks for nothing from elsewhere, and has every public name."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def site(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_pages_load_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) >= 20
    for page in pages:
        loaded = re.findall(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=[\"']?([^\"' >]+)", page.read_text())
        assert not [url for url in loaded if url.startswith(("http:", "https:", "//"))], page


@pytest.mark.parametrize(
    "room", ["pattern", "baseline", "null", "inference", "proximity", "timing", "aim", "checks", "sources", "figures", "report"]
)
def test_every_public_name_has_an_entry(site, root, room):
    page = (site / f"api/{room}.html").read_text()
    module = importlib.import_module(f"analysis.{room}")
    for name in module.__all__:
        shadowed = (root / f"analysis/{room}/{name}.py").exists()  # then the short path is the file's, not the function's
        anchor = f"analysis.{room}.{name}.{name}" if shadowed else f"analysis.{room}.{name}"
        assert f'id="{anchor}"' in page, name
