"""The run ledger on disk: finished pieces of a run, so that one that was killed goes on."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from urllib.parse import quote, unquote

from ..checks import Calibration
from ..pattern import InputError, Plan, Study
from .write import PACKAGES, write_files


class StoredPieces(MutableMapping[str, bytes]):
    """Keep pieces as files in a folder of their own, named by the SHA-256 of everything they depend on.

    That is the plan's values, the sums of the data, the calibration, the program's own source and the versions of its packages: after
    any change the pieces of an interrupted run are not found, and a run starts anew.

    Parameters
    ----------
    folder : Path
        The ledger: a folder for each state of plan, data and program.
    study, plan, calibration
        As for :func:`analysis.assess`.

    Raises
    ------
    InputError
        If the study does not know the sums of its files: pieces of other data could not be told from its own.
    """

    def __init__(self, folder: Path, study: Study, plan: Plan, calibration: Calibration | None) -> None:
        if study.sources is None:
            raise InputError("a study without the sums of its files has no ledger", column="sources")
        sources = study.sources.astype(str).to_dict("records")
        program = hashlib.sha256()
        for path in sorted(Path(__file__).parents[1].rglob("*.py")):
            program.update(path.read_bytes())
        depends = [plan.digest, study.name, sources, None if calibration is None else calibration.to_dict(), program.hexdigest(),
                   {name: importlib.metadata.version(name) for name in PACKAGES}]  # fmt: skip
        identity = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()
        self.base, self.folder = folder, folder / identity[:32]

    def _name(self, key: str) -> str:
        return f"{quote(key, safe='')}.json"

    def __getitem__(self, key: str) -> bytes:
        try:
            return (self.folder / self._name(key)).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, content: bytes) -> None:
        # another run into this folder may just have ended and cleared the ledger; this one holds its own copy
        with contextlib.suppress(FileNotFoundError):
            write_files({self._name(key): content}, self.folder)

    def __delitem__(self, key: str) -> None:
        (self.folder / self._name(key)).unlink()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(unquote(path.stem) for path in self.folder.glob("*.json")))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def finish(self) -> None:
        """Remove the ledger: the report is written, and the next run computes everything anew."""
        shutil.rmtree(self.base, ignore_errors=True)
