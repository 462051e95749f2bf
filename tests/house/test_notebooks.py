"""The notebooks: committed without outputs, short, in step with their text, and they run."""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook(path):
    """Committed without outputs, in step with its text, at most twelve cells of code, defines nothing, and runs."""
    book = nbformat.read(path, as_version=4)
    text = jupytext.read(path.with_suffix(".py"))
    assert [c.source for c in book.cells] == [c.source for c in text.cells]
    code = [c for c in book.cells if c.cell_type == "code"]
    assert len(code) <= 12
    assert all(not c.outputs and c.execution_count is None for c in code)
    assert not any(re.search(r"^\s*(def|class) ", c.source, re.M) for c in code)
    nbclient.NotebookClient(book, timeout=240, resources={"metadata": {"path": path.parent}}).execute()
    first = "".join(str(o.get("data", {}).get("text/markdown", "")) for o in code[0].outputs)
    assert "?" in first


def test_there_are_notebooks():
    assert NOTEBOOKS
