"""Pieces: what a run computes, each on its own, so that workers share them and an interrupted run goes on from those it finished."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from ..inference import to_json

Piece = tuple[str, Callable[[], Any], type]  # its name, what computes it, and its kind: list, dict or the dataclass of a result


class Pieces:
    """Compute each named piece once, or take it from the store.

    Parameters
    ----------
    store : mapping of names to JSON bytes
        For one plan, one set of data and one version of the program; its owner sees to that.
    say : callable
        Told each piece as it is finished.

    Notes
    -----
    Where they run is joblib's business: in this process, or as ``joblib.parallel_config`` says, on several cores or a dask cluster. A
    piece always passes through its stored form, also when it has just been computed, and its linear algebra runs on one thread: the digits
    that go on are the same for any number of workers, and for an interrupted run as for one in a single go.
    """

    def __init__(self, store: MutableMapping[str, bytes], say: Callable[[str], None]) -> None:
        self.store, self.say = store, say

    def __call__(self, pieces: Sequence[Piece]) -> list[Any]:
        """Give the pieces in their order; they must not depend on each other."""
        known = {name: self.store[name] for name, _, _ in pieces if name in self.store}
        missing = [(name, compute) for name, compute, _ in pieces if name not in known]
        for name in known:
            self.say(name)
        if len(missing) == 1:  # not worth a worker
            finished: Any = [_computed(*missing[0])]
        else:
            finished = Parallel(return_as="generator_unordered", batch_size=1)(delayed(_computed)(*piece) for piece in missing)
        for name, content in finished:
            # kept here too: another run into the same folder may end first and clear the store
            known[name] = self.store[name] = content
            self.say(name)
        return [_revive(kind, json.loads(known[name])) for name, _, kind in pieces]


def _computed(name: str, compute: Callable[[], Any]) -> tuple[str, bytes]:
    with threadpool_limits(1, user_api="blas"):
        return name, json.dumps(to_json(compute()), allow_nan=False).encode()


def _revive(kind: Any, values: Any) -> Any:
    """Make a result of its JSON: arrays and intervals of numbers again, infinities included."""
    if not dataclasses.is_dataclass(kind):
        return values
    made = dict(values)
    for part in dataclasses.fields(kind):
        value = made[part.name]
        if part.type == "Array":
            made[part.name] = np.array(value, float)
        elif part.type == "tuple[float, float]":
            made[part.name] = tuple(float(v) for v in value)
        elif part.type == "float":
            made[part.name] = float(value)
        elif isinstance(value, list) and not str(part.type).startswith(("list", "Rows")):
            made[part.name] = tuple(value)
    return kind(**made)  # type: ignore[operator]
