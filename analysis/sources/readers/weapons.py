"""Words for weapons, as the sources write them, to the weapon classes of the project."""

from __future__ import annotations

import re

import pandas as pd

# first match wins; a word that names no class of its own (shelling, missile, air strike, cluster munition) stays unknown
WORDS = (
    ("hypersonic", r"kinzhal|кинджал|кинжал|zircon|циркон|hypersonic|x-47|kh-47"),
    ("ballistic", r"ballistic|iskander-?m|tochka|\b9m79|kn-?23|oreshnik|балістич"),
    ("cruise", r"cruise|kalibr|\bkh-?\d|\bx-?(?:101|55|59|69|22|31|35)|iskander-?k|калібр|крилат"),
    ("drone", r"loitering|shahed|geran|lancet|drone|\buav|gerbera|шахед|дрон|бпла"),
    ("artillery_mlrs", r"artillery|mortar|howitzer|rocket artillery|mlrs|grad\b|uragan|smerch|tornado-|"
                       r"\b9m55|\b9m27|tube|артил|рсзв"),
)  # fmt: skip
_COMPILED = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in WORDS]


def weapon_class(text: pd.Series) -> pd.Series:
    """Give the weapon class that the text names; unknown where it names none.

    Each distinct text is looked at once.
    """
    found = {words: next((name for name, pattern in _COMPILED if pattern.search(words)), "unknown") for words in text.unique()}
    return text.map(found)


STRUCK = re.compile(
    r"strike|struck|\bhit\b|missile|rocket|shell|bomb|explosion|drone|shahed|impact|обстріл|обстрел|удар|ракет", re.IGNORECASE
)


def tells_of_a_strike(text: pd.Series) -> pd.Series:
    """Say whether a text has a word for fire from afar: a weak sign, for sources that have no better."""
    return text.str.contains(STRUCK)
