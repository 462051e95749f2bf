"""An assessment written out: HTML, Markdown, JSON, figures and tables."""

from .package import package
from .write import render, write_files

__all__ = ["package", "render", "write_files"]
