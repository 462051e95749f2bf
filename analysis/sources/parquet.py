"""Strikes in Parquet, also partitioned and larger than memory: the columns named are read in batches, and the window's rows kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ..pattern import InputError, PointPattern, Window, project

BATCH = 131_072  # rows held at once


def read_parquet_strikes(
    path: Path,
    window: Window,
    *,
    longitude: str = "longitude",
    latitude: str = "latitude",
    columns: Sequence[str] = (),
    where: pc.Expression | None = None,
) -> PointPattern:
    """Read the strikes of a window from a Parquet file, or a folder of them with partitions named ``key=value``.

    Parameters
    ----------
    path : Path
    window : Window
        With a CRS.
    longitude, latitude : str
        Columns of WGS84 degrees. Rows outside the window are left out.
    columns : sequence of str
        Columns, or keys of partitions, that become marks.
    where : pyarrow.dataset expression, optional
        Further rows to leave out, such as ``field("year") == 2024``; partitions that cannot match are not opened.

    Returns
    -------
    PointPattern

    Notes
    -----
    Memory is that of the strikes kept with their marks, and of a few batches of 131,072 rows. Cost: one pass over the columns named.
    Statistics are not used to skip row groups outside the window: a coordinate that is not a number has no place in them.

    Raises
    ------
    InputError
        If there is no Parquet, a column is missing or not of numbers, a coordinate is missing, not finite or beyond its range, or no
        strike lies in the window.
    """
    try:
        data = ds.dataset(path, format="parquet", partitioning="hive")
        names = data.schema.names
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"must be Parquet ({str(error).splitlines()[0][:100]})", file=path) from None
    for column in (longitude, latitude, *columns):
        if column not in names:
            raise InputError("must have this column", file=path, column=column)
    for column in (longitude, latitude):
        if not (pa.types.is_floating(data.schema.field(column).type) or pa.types.is_integer(data.schema.field(column).type)):
            raise InputError("must be a column of numbers", file=path, column=column, value=data.schema.field(column).type)
    if window.crs is None:
        raise InputError("the window has no CRS, so longitude and latitude cannot be projected")
    kept: list[pd.DataFrame] = []
    places: list[Any] = []
    for part in data.get_fragments(filter=where):
        try:
            for batch in part.to_batches(schema=data.schema, columns=[longitude, latitude, *columns], filter=where, batch_size=BATCH):
                frame = batch.to_pandas()
                x, y = (frame[name].to_numpy(float) for name in (longitude, latitude))
                for column, value, limit in ((longitude, x, 180.0), (latitude, y, 90.0)):
                    wrong = ~(np.abs(value) <= limit)
                    if wrong.any():
                        rule = f"must lie between -{limit:g} and {limit:g} degrees, in every row"
                        raise InputError(rule, file=part.path, column=column, value=value[wrong][0])
                easting, northing = project(x, y, window)
                inside = window.contains(easting, northing)
                places.append(np.column_stack([easting[inside], northing[inside]]))
                kept.append(frame.loc[inside, list(columns)])
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"must be Parquet ({str(error).splitlines()[0][:100]})", file=part.path) from None
    found = np.concatenate([np.empty((0, 2)), *places])
    if len(found) == 0:
        raise InputError("no strike lies in the window", file=path)
    return PointPattern(found[:, 0], found[:, 1], window, pd.concat(kept, ignore_index=True) if columns else None)
