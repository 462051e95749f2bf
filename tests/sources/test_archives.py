"""Archives that lie."""

from __future__ import annotations

import io
import zipfile

import pytest

from analysis.pattern import InputError
from analysis.sources.archives import read_member


def packed(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_one_member_is_read(tmp_path):
    (tmp_path / "a.zip").write_bytes(packed(**{"x.csv": b"a,b\n", "y.txt": b"no"}))
    assert read_member(tmp_path / "a.zip", ".csv") == b"a,b\n"


whole = packed(**{"x.csv": b"a,b\n" * 500})
encrypted = bytearray(whole)
encrypted[6] |= 1
encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
damaged = bytearray(whole)
damaged[40] ^= 0xFF


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "must be a whole zip archive"),
        (whole[:-30], "must be a whole zip archive"),
        (whole[:40], "must be a whole zip archive"),
        (bytes(damaged), "must be a whole zip archive"),
        (bytes(encrypted), "is encrypted"),
        (packed(**{"x.csv": b"0" * 30_000_000}), "unpacks to more than"),
        (packed(**{"../x.csv": b"a"}), "leads out of the archive"),
        (packed(**{"/x.csv": b"a"}), "leads out of the archive"),
        (packed(**{"..\\x.csv": b"a"}), "leads out of the archive"),
        (packed(**{"C:x.csv": b"a"}), "leads out of the archive"),
        (packed(**{"x.txt": b"a"}), "must hold one .csv file, holds 0"),
        (packed(**{"x.csv": b"a", "y.csv": b"a"}), "must hold one .csv file, holds 2"),
    ],
    ids=["empty", "no end", "only a beginning", "damaged", "encrypted", "bomb", "parent", "root", "windows parent", "drive", "none", "two"],
)
def test_what_is_refused(tmp_path, content, said):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_member(path, ".csv")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_a_missing_archive(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_member(tmp_path / "no.zip", ".csv")
