"""Sphinx configuration; rosdoc2 reads it too."""

project = 'mav_perception'
author = 'mav_perception maintainers'
extensions = ['myst_parser']
myst_enable_extensions = ['dollarmath', 'amsmath']
myst_heading_anchors = 3
exclude_patterns = ['_build']
html_theme = 'furo'
# Links to the code lead out of the documentation.
suppress_warnings = ['myst.xref_missing']
