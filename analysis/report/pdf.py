"""The PDF: the page's own content set by Typst, so that what is filed says what the page says."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import typst

LEFT_OUT = {"head", "nav", "form", "script", "style", "svg", "img"}
VOID = {"meta", "link", "img", "br", "input"}
WIDE = 26  # letters from which a column shares the width that is left
HEAD = """#set document(title: {title}, date: datetime(year: {year}, month: {month}, day: {day}))
#set page(paper: "a4", margin: (x: 18mm, y: 20mm), numbering: "1 / 1")
#set text(font: ("Libertinus Serif", "DejaVu Sans"), size: 10pt, lang: "en")
#set par(justify: false)
#set table(stroke: (x, y) => (bottom: 0.3pt + luma(200)), inset: (x: 2.5pt, y: 2.5pt))
#show table: set text(size: 7.5pt)
#show table: set par(leading: 0.45em)
#show table: set table(align: left)
#show heading.where(level: 2): it => block(above: 1.6em, below: 0.8em, it)
#show figure: set block(breakable: true)
"""
OPEN = {"h1": "#heading(level: 1)[", "h2": "#heading(level: 2)[", "h3": "#heading(level: 3)[", "p": "#par[", "ul": "#list(", "li": "[",
        "b": "#strong[", "em": "#emph[", "sub": "#sub[", "sup": "#super[", "blockquote": "#quote(block: true)[", "code": "#raw(",
        "caption": "#text(size: 8.5pt, fill: luma(90))[", "figcaption": "#text(size: 8.5pt, fill: luma(90))[", "section": "#block(fill: luma(244), inset: 8pt, width: 100%)["}  # fmt: skip
CLOSE = {"h1": "]\n", "h2": "]\n", "h3": "]\n", "p": "]\n", "ul": ")\n", "li": "],", "b": "]", "em": "]", "sub": "]", "sup": "]",
         "blockquote": "]\n", "code": ")", "caption": "]\n", "figcaption": "]\n", "section": "]\n"}  # fmt: skip


def _text(words: str) -> str:
    """Write text as a Typst string: nothing in it can be taken for markup."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass
class _Cell:
    kind: str
    style: str
    span: int
    content: str = ""

    def set(self) -> str:
        side, content = "right" if self.style == "n" else "left", f"#strong[{self.content}]" if self.kind == "th" else self.content
        return f"table.cell(colspan: {self.span}, align: {side})[{content}],"


class _Setter(HTMLParser):
    """Turn the page into Typst, element by element."""

    def __init__(self, alternatives: dict[str, str]) -> None:
        super().__init__()
        self.alternatives = alternatives
        self.parts: list[str] = []
        self.skipping: list[str] = []
        self.rows: list[list[_Cell]] = []
        self.inside: list[tuple[str, str]] = []  # elements and their classes

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if self.skipping or tag in LEFT_OUT or given.get("id") in ("odds", "map-info") or given.get("class") == "map-foot":
            if tag not in VOID:
                self.skipping.append(tag)
            return
        if tag in VOID:
            return
        self.inside.append((tag, given.get("class", "")))
        if "data-figure" in given:
            name = given["data-figure"]
            self.parts.append(f"#[#image({_text(name + '.svg')}, width: 100%, alt: {_text(self.alternatives[name])})\n")
        elif tag == "table":
            self.rows = []
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.parts.append("\0")  # where the cell begins
            self.rows[-1].append(_Cell(tag, given.get("class", ""), int(given.get("colspan", 1))))
        elif tag == "a" and given.get("href", "").startswith(("http://", "https://")):
            self.parts.append(f"#link({_text(given['href'])})[")
        elif tag == "span" and self.inside[-3:-2] == [("div", "numbers")]:
            self.parts.append("#h(0.6em)#[")
        elif tag == "div" and self.inside[-2:-1] == [("div", "numbers")]:
            self.parts.append("#par[")
        else:
            self.parts.append(OPEN.get(tag, "#["))

    def handle_endtag(self, tag: str) -> None:
        if self.skipping:
            if tag == self.skipping[-1]:
                self.skipping.pop()
            return
        if tag in VOID or not self.inside:
            return
        self.inside.pop()
        if tag in ("td", "th"):
            start = len(self.parts) - 1 - self.parts[::-1].index("\0")
            self.rows[-1][-1].content = "".join(self.parts[start + 1 :])
            del self.parts[start:]
        elif tag == "table":
            self.parts.append(_table(self.rows))
        elif tag != "tr":
            self.parts.append(CLOSE.get(tag, "]"))

    def handle_data(self, data: str) -> None:
        if self.skipping:
            return
        words, at = re.sub(r"\s+", " ", data), self.inside[-1][0] if self.inside else ""
        if words.strip() or (words and at in ("p", "li", "td", "b")):
            self.parts.append(_text(words) if at == "code" else f"#{_text(words)}")


def _table(rows: list[list[_Cell]]) -> str:
    columns = max((sum(cell.span for cell in row) for row in rows), default=0)
    if not columns:
        return ""
    longest = [0] * columns
    for row in rows:
        for at, cell in enumerate(row):
            if cell.span == 1:
                shown = re.sub(r"#\w+\([^)]*\)|[#\[\]\"]", "", cell.content)
                longest[at] = max(longest[at], len(shown) if cell.kind == "td" else max(map(len, shown.split()), default=0))
    spans = any(cell.span > 1 for row in rows for cell in row)  # a cell across columns would widen one that fits its content
    widths = [f"{min(max(length, 8), 6 * WIDE) / WIDE:.2f}fr" if spans or length > WIDE else "auto" for length in longest]
    made = [f"#table(columns: ({', '.join(widths)},),"]
    for row in rows:
        line = "".join(cell.set() for cell in row)
        made.append(f"table.header({line})," if all(cell.kind == "th" for cell in row) and len(made) == 1 else line)
    return "\n".join(made) + ")\n"


def to_pdf(html: str, figures: dict[str, tuple[bytes, str]], date: str) -> bytes:
    """Set a report's page as PDF/A-2b: fonts within, and nothing in it changes.

    Parameters
    ----------
    html : str
        The page as rendered: controls and scripts are left out.
    figures : dict of (SVG bytes, alternative text)
        By the name that an element carries in ``data-figure``; the interactive map has one too.
    date : str
        Of the newest data, not of the clock: the same results give the same bytes.
    """
    setter = _Setter({name: alt for name, (_, alt) in figures.items()})
    setter.feed(html)
    title = re.search(r"<title>(.*?)</title>", html, re.S)
    day = dt.date.fromisoformat(date)
    head = HEAD.replace("{title}", _text(unescape(title[1]) if title else ""))
    for name in ("year", "month", "day"):
        head = head.replace(f"{{{name}}}", str(getattr(day, name)))
    text = head + "".join(setter.parts)
    sources = {"main.typ": text.encode(), **{f"{name}.svg": content for name, (content, _) in figures.items()}}
    fonts = Path(matplotlib.get_data_path()) / "fonts/ttf"
    # typst's own types leave out files held in memory, which its manual describes
    made = typst.compile(sources, font_paths=[str(fonts)], ignore_system_fonts=True, pdf_standards="a-2b", timestamp=0)  # type: ignore[call-overload]
    return bytes(made)
