"""The rules of the house."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from environment import environment

PYTHON = sorted(Path(__file__).resolve().parents[2].glob("analysis/**/*.py"))


def test_environment_yml_follows_pyproject(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert (root / "environment.yml").read_text() == environment(project)


def test_the_lock_holds_every_dependency_with_hashes_and_names_no_host(root):
    lock = (root / "requirements.lock").read_text()
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name = re.split(r"[\[><=~ ]", requirement)[0].lower()
        assert re.search(rf"^{re.escape(name)}==", lock, re.M), name
    assert "://" not in lock
    for block in re.split(r"\n(?=\S)", lock.strip()):
        assert "--hash=sha256:" in block


def test_no_file_is_long_and_no_module_is_named_for_nothing():
    for path in PYTHON:
        assert len(path.read_text().splitlines()) <= 400, path
        assert path.stem not in {"utils", "util", "helpers", "core", "common", "misc"}


def test_no_global_randomness_and_no_clock():
    for path in PYTHON:
        code = path.read_text()
        assert not re.search(r"np\.random\.(seed|rand|normal|uniform|choice|random)\(", code), path
        assert not re.search(r"datetime\.now|date\.today|time\.time\(", code), path


def test_every_public_name_is_documented():
    import analysis
    from analysis import aim, baseline, checks, figures, inference, null, pattern, proximity, report, sources, timing

    for module in (analysis, aim, baseline, checks, figures, inference, null, pattern, proximity, report, sources, timing):
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing) and getattr(thing, "__module__", "").startswith("analysis"):
                assert (thing.__doc__ or "").strip(), f"{module.__name__}.{name}"


def test_the_architecture_page_names_every_room_and_no_other(root):
    page = (root / "docs/architecture.md").read_text()
    rooms = {p.parent.name for p in root.glob("analysis/*/__init__.py")}
    named = set(re.findall(r"^\| `(\w+)/` \|", page, re.M))
    assert named == rooms
    for path in PYTHON:
        if path.name != "__init__.py" and path.parent.name in rooms:
            assert f"`{path.name}`" in page, path


def test_the_readme_example_runs(root, tmp_path):
    text = (root / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.S)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = re.search(r"```text\n(.*?)```", text, re.S)[1]
    assert done.stdout.strip() == said.strip()


def test_doctests(root):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--doctest-modules", "analysis", "-p", "no:xdist"],
        cwd=root, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 7
