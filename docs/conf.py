"""The documentation site: `scripts/docs` builds it into docs/_build/html."""

import sys
from pathlib import Path

from darknet_py import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "darknet"
author = "the darknet authors"
release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "cfg_keys",
    "commands",
    "short_code",
]
exclude_patterns = ["_build"]
smartquotes = False  # help says --resume, not an en dash and resume

html_show_copyright = False
html_theme = "furo"
html_title = f"darknet {release}"
html_static_path = ["_static"]
html_css_files = ["darknet.css"]

# Headings are linked to from README.md, too, as GitHub names them.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_typehints = "signature"
default_role = "code"  # `words` of docstrings
autodoc_member_order = "bysource"

copybutton_prompt_text = "$ "
