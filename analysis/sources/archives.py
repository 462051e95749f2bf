"""One member of a zip archive, read with distrust: sizes are counted while reading, names are never used as paths."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ..pattern import InputError

MAX_BYTES = 2_000_000_000  # VIINA's largest table is a tenth of this
MAX_RATIO = 200  # text compresses some ten-fold; a bomb a thousand-fold
BLOCK = 1 << 20


def read_member(path: Path, suffix: str) -> bytes:
    """Read the only member with this suffix.

    Parameters
    ----------
    path : Path
    suffix : str
        Such as ``.csv``.

    Returns
    -------
    bytes
        The content; nothing is unpacked to disk.

    Raises
    ------
    InputError
        If the file is no zip archive or cut short; if a member's name leads out of the archive; if the member is missing, not the only
        one, encrypted, damaged, or grows beyond what such a file can hold.
    """
    if not path.is_file():
        raise InputError("the file does not exist", file=path)
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                parts = PurePosixPath(info.filename.replace("\\", "/"))
                if parts.is_absolute() or ".." in parts.parts or ":" in info.filename:
                    raise InputError("a member's name leads out of the archive", file=path.name, value=info.filename)
            found = [info for info in archive.infolist() if info.filename.lower().endswith(suffix) and not info.is_dir()]
            if len(found) != 1:
                raise InputError(f"must hold one {suffix} file, holds {len(found)}", file=path.name)
            if found[0].flag_bits & 1:
                raise InputError("is encrypted", file=path.name, value=found[0].filename)
            limit = min(MAX_BYTES, max(BLOCK, MAX_RATIO * path.stat().st_size))
            parts_read, size = [], 0
            with archive.open(found[0]) as member:
                while block := member.read(BLOCK):
                    size += len(block)
                    if size > limit:
                        raise InputError(f"unpacks to more than {limit:,} bytes, which no such file does", file=path.name)
                    parts_read.append(block)
            return b"".join(parts_read)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:  # the disk's, not that of an offset that leads out of the archive
            raise
        raise InputError(f"must be a whole zip archive ({error})", file=path.name) from None
