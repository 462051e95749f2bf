"""Downloads: from the publisher, or from a mirror with the same file names, checked by their sums."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pooch
import requests

from ..pattern import InputError
from .raw import file_sha256
from .registry import UNPINNED, Source

MANIFEST = "manifest.json"


def fetch(sources: Iterable[Source], folder: Path, *, mirror: str = "", bar: bool = False) -> Iterator[tuple[Source, str]]:
    """Download files that are not there yet, one by one, and record each in the manifest.

    Parameters
    ----------
    sources : Sources
    folder : Path
        ``data/raw``.
    mirror : str
        A folder, or a base URL, that has the same file names; empty for the publishers.
    bar : bool
        Show how much of each file is there.

    Yields
    ------
    source, what was done : "there already" or "fetched"

    Raises
    ------
    InputError
        If a source has no URL and no mirror has it, a download fails, or a sum is wrong. What was there before stays; what a killed run
        left under a temporary name is removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.rglob(".part-*"):
        left.unlink()
    for source in sources:
        path = folder / source.file
        if path.is_file() and _right(path, source, folder):
            yield source, "there already"
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.parent / f".part-{path.name}"
        origin = _origin(source, mirror)
        try:
            _copy(origin, part, source, bar)
            found = file_sha256(part)
            if source.sha256 not in (UNPINNED, found):
                raise InputError(f"has the wrong sum {found}, should be {source.sha256}", file=source.file, value=origin)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        _record(folder, source, origin, path)
        yield source, "fetched"


def _origin(source: Source, mirror: str) -> str:
    if mirror:
        return f"{mirror.rstrip('/')}/{source.file}"
    if not source.url:
        raise InputError(f"must be supplied by you, under this name in data/raw: {source.citation}", file=source.file, value=source.id)
    return source.url


def _copy(origin: str, part: Path, source: Source, bar: bool) -> None:
    if not origin.startswith(("https://", "http://")):
        if not Path(origin).is_file():
            raise InputError("the mirror has no such file", file=origin)
        shutil.copyfile(origin, part)
        return
    try:
        pooch.HTTPDownloader(progressbar=bar, timeout=60)(origin, str(part), None)
    except requests.exceptions.RequestException as error:
        raise InputError(f"cannot be downloaded ({type(error).__name__})", file=source.file, value=origin) from None


def _right(path: Path, source: Source, folder: Path) -> bool:
    """Say whether a file is what the registry, or for an unpinned one the manifest, says it is."""
    known = source.sha256 if source.sha256 != UNPINNED else read_manifest(folder).get(source.id, {}).get("sha256")
    return known is None or file_sha256(path) == known


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what was downloaded when and from where; empty where nothing was.

    Raises
    ------
    InputError
        If it is not the manifest that :func:`fetch` writes.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not (isinstance(content, dict) and all(isinstance(entry, dict) for entry in content.values())):
        raise InputError("is damaged; delete it and fetch again", file=path)
    return content


def _record(folder: Path, source: Source, origin: str, path: Path) -> None:
    state = path.stat()
    time = dt.datetime.fromtimestamp(int(state.st_mtime), dt.UTC).isoformat()  # when it was written here
    entry = {"url": origin, "file": source.file, "time": time, "bytes": state.st_size, "sha256": file_sha256(path)}
    content = json.dumps(read_manifest(folder) | {source.id: entry}, indent=1, sort_keys=True) + "\n"
    part = folder / f".part-{MANIFEST}"
    part.write_text(content, encoding="utf-8")
    os.replace(part, folder / MANIFEST)
