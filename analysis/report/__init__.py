"""An assessment written out: HTML, Markdown, JSON, figures and tables."""

from .package import package
from .stored import StoredPieces
from .write import render, write_files

__all__ = ["StoredPieces", "package", "render", "write_files"]
