"""Clean strikes as a data package: GeoParquet and CSV, every rejected row, the trace, and what describes them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from ..sources.clean import CleanStrikes
from ..sources.completeness import Completeness
from ..sources.registry import Source
from .write import FORMULA

TYPES = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "M": "date"}
MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "json": "application/json"}
SAYS = {
    "strikes.csv": "Clean strikes of the window, one row each",
    "strikes.parquet": "The same as GeoParquet, in the window's projected CRS; area rows have no geometry",
    "trace.csv": "Every raw row behind each strike, with the file it stands in and that file's SHA-256",
    "rejected.csv": "Every raw row that is behind no strike, with the step and the reason",
    "flow.csv": "How many rows each step left, by source",
    "completeness.csv": "Capture-recapture estimates for pairs of sources",
}


# ids of the Open Definition; the licences that the registry names
OPEN = {"CC BY 4.0": "CC-BY-4.0", "ODbL 1.0": "ODbL-1.0", "CC0 1.0": "CC0-1.0", "CC0 1.0 (Wikidata)": "CC0-1.0", "MIT": "MIT"}


def package(found: CleanStrikes, estimates: list[Completeness], sources: Mapping[str, Source], crs: Any, name: str) -> dict[str, bytes]:
    """Give the files of the package by name. Nothing is written.

    Parameters
    ----------
    found : CleanStrikes
    estimates : list of Completeness
    sources : {id: Source}
        The registry's entries for the sources of ``found``.
    crs : CRS of the window
    name : str
        Of the window, as printed.

    Returns
    -------
    dict of bytes
        CSV (text that a spreadsheet would run is quoted), GeoParquet, ``datapackage.json`` (Data Package v2) and ``ro-crate-metadata.json``
        (RO-Crate 1.1).
    """
    files = found.files.rename(columns={"rows": "rows_read"})
    trace = found.trace.merge(files[["source", "file", "sha256"]], on="source", how="left")
    trace["url"] = trace["source"].map({key: source.url for key, source in sources.items()}).fillna("")
    estimated = pd.DataFrame([vars(e) for e in estimates], columns=list(Completeness.__dataclass_fields__))
    estimated["interval"] = [None if i is None else f"{i[0]:.1f} to {i[1]:.1f}" for i in estimated["interval"]]
    tables = {
        "strikes": found.strikes.drop(columns=["easting", "northing"]),
        "trace": trace,
        "rejected": found.rejected,
        "flow": found.flow,
        "completeness": estimated,
    }
    content = {f"{key}.csv": to_csv(table) for key, table in tables.items()}
    content["strikes.parquet"] = _geoparquet(found.strikes, crs)
    described = {key: _resource(key, data, tables.get(key.removesuffix(".csv"))) for key, data in content.items()}
    licences = [{"name": OPEN.get(s.licence, "other-closed"), "title": f"{s.title}: {s.licence}"} for s in sources.values()]
    origins = [{"title": source.citation, **({"path": source.url} if source.url else {})} for source in sources.values()]
    package_json = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "clean-strikes",
        "title": f"Clean strikes: {name}",
        "resources": list(described.values()),
        "sources": origins,
        "licenses": licences,
    }
    content["datapackage.json"] = _json(package_json)
    content["ro-crate-metadata.json"] = _json(_crate(name, found.strikes["date"].max().date().isoformat(), content, sources))
    return content


def to_csv(table: pd.DataFrame) -> bytes:
    """Write a table as UTF-8 CSV, dates as days, text that a spreadsheet would run as a formula quoted."""
    shown = table.copy()
    for column in shown:
        if shown[column].dtype.kind == "M":
            shown[column] = shown[column].dt.strftime("%Y-%m-%d")
        elif shown[column].dtype.kind not in "biuf":
            text = shown[column].astype("string")
            shown[column] = text.mask(text.str.match(FORMULA), "'" + text)
    return shown.to_csv(index=False, lineterminator="\n").encode()


def _geoparquet(strikes: pd.DataFrame, crs: Any) -> bytes:
    geometry = gpd.points_from_xy(strikes["easting"], strikes["northing"])
    frame = gpd.GeoDataFrame(strikes.drop(columns=["easting", "northing", "longitude", "latitude"]), geometry=geometry, crs=crs)
    frame.loc[strikes["support"].to_numpy() == "area", "geometry"] = None
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


def _resource(file: str, data: bytes, table: pd.DataFrame | None) -> dict[str, Any]:
    stem, kind = file.rsplit(".", 1)
    entry: dict[str, Any] = {
        "name": stem if kind == "csv" else f"{stem}-{kind}", "path": file, "description": SAYS[file], "mediatype": MEDIA[kind],
        "bytes": len(data), "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
    }  # fmt: skip
    if kind == "csv" and table is not None:
        fields = [{"name": str(column), "type": TYPES.get(table[column].dtype.kind, "string")} for column in table]
        entry |= {"type": "table", "format": "csv", "encoding": "utf-8", "schema": {"fields": fields}}
    return entry


def _crate(name: str, newest: str, content: Mapping[str, bytes], sources: Mapping[str, Source]) -> dict[str, Any]:
    files = [{"@id": file, "@type": "File", "name": SAYS.get(file, file), "encodingFormat": MEDIA[file.rsplit(".", 1)[1]],
              "contentSize": len(data)} for file, data in content.items()]  # fmt: skip
    origins = [{"@id": f"#{key}", "@type": "Dataset", "name": s.title, "publisher": s.publisher, "license": s.licence, "citation": s.citation,
                **({"url": s.url} if s.url else {})} for key, s in sources.items()]  # fmt: skip
    root = {
        "@id": "./", "@type": "Dataset", "name": f"Clean strikes: {name}",
        "description": "Strikes cleaned from public sources, with the trace of each and every rejected row.",
        # the day of the newest strike: the same rows give the same bytes, whenever the package is made
        "datePublished": newest, "license": "; ".join(sorted({f"{s.title}: {s.licence}" for s in sources.values()})),
        "hasPart": [{"@id": file["@id"]} for file in files], "isBasedOn": [{"@id": origin["@id"]} for origin in origins],
    }  # fmt: skip
    about = {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
             "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}}  # fmt: skip
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [about, root, *files, *origins]}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
