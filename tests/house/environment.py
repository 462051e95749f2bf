"""Print environment.yml as pyproject.toml implies it: python tests/house/environment.py > environment.yml."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def environment(project: dict) -> str:
    """Give the conda environment: the same requirements, installed by pip so that there is one list of names."""
    extra = project["optional-dependencies"]
    lines = [
        "# Generated from pyproject.toml by `make lock`; a test compares them. Do not edit.",
        f"name: {project['name']}",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python {project['requires-python']}",
        "  - pip",
        "  - pip:",
        *(f'      - "{requirement}"' for requirement in [*project["dependencies"], *extra["cluster"], *extra["dev"]]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    sys.stdout.write(environment(tomllib.loads((root / "pyproject.toml").read_text())["project"]))
