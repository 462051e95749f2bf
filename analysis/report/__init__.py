"""An assessment written out: HTML, Markdown, JSON, figures and tables."""

from .write import render, write_files

__all__ = ["render", "write_files"]
