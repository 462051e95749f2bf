"""Pieces: what an interrupted run finished, so that the next one goes on from there and ends with the same bytes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

import numpy as np

from ..inference import to_json

T = TypeVar("T")


class Pieces:
    """Compute each named piece once, or take it from the store.

    Parameters
    ----------
    store : mapping of names to JSON bytes
        For one plan, one set of data and one version of the program; its owner sees to that.
    say : callable
        Told each piece as it begins.

    Notes
    -----
    A piece always passes through its stored form, also when it has just been computed: an interrupted run and one in a single go
    continue from the same digits.
    """

    def __init__(self, store: MutableMapping[str, bytes], say: Callable[[str], None]) -> None:
        self.store, self.say = store, say

    def __call__(self, name: str, compute: Callable[[], T], kind: type[T]) -> T:
        """Give the piece; ``kind`` is list, dict or the dataclass of a result."""
        self.say(name)
        if name not in self.store:
            self.store[name] = json.dumps(to_json(compute()), allow_nan=False).encode()
        values = json.loads(self.store[name])
        return _revive(kind, values) if dataclasses.is_dataclass(kind) else values  # type: ignore[no-any-return]


def _revive(kind: Any, values: dict[str, Any]) -> Any:
    """Make a result of its JSON: arrays and intervals of numbers again, infinities included."""
    made = dict(values)
    for part in dataclasses.fields(kind):
        value = made[part.name]
        if part.type == "Array":
            made[part.name] = np.array(value, float)
        elif part.type == "tuple[float, float]":
            made[part.name] = tuple(float(v) for v in value)
        elif part.type == "float":
            made[part.name] = float(value)
        elif isinstance(value, list):
            made[part.name] = tuple(value)
    return kind(**made)
