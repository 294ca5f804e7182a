"""Sphinx's configuration of the documentation: the pages of docs/, the public functions, and every command's flags."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from generate import PAGES, write_pages

from minima import __version__

project = "minima"
author = "the authors of minima"
release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["site", "findings"]  # what `make findings` draws is a folder of its own
suppress_warnings = [
    "myst.xref_missing"
]  # what leads to the code leads out of the site; tests/test_readme.py looks at links
html_theme = "furo"
html_title = f"minima {release}"
html_static_path: list[str] = []
html_show_copyright = False

myst_heading_anchors = 3
nb_execution_mode = "off"  # tests/test_notebook.py runs it; its outputs are kept in it

default_role = "code"  # docstrings quote code as Markdown does
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False


def setup(app):
    """Pages that are made of the code are written before Sphinx reads the folder."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir) / PAGES))
    app.connect("autodoc-process-docstring", lambda *found: keep_bars(found[-1]))


def keep_bars(lines):
    """A norm's bars, `|w|` in a sentence, are bars, not a substitution of reStructuredText."""
    lines[:] = [re.sub(r"(`[^`]*`)|\|", lambda found: found[1] or r"\|", line) for line in lines]
