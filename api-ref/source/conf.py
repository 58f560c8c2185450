# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the API reference: ``make api-ref``."""

import logging

from sphinx.application import Sphinx

extensions = ["os_api_ref", "openstackdocstheme"]
templates_path = ["_templates"]

project = "Legacy Bare Metal API"
project_copyright = "bm-shim contributors"

html_theme = "openstackdocs"
html_theme_options = {
    # The pages of the theme's owner are asked for nothing: no badge, no tracking.
    "display_badge": False,
    "analytics_tracking_code": "",
    "sidebar_mode": "toctree",
    "root_title": project,
}
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_use_index = False

openstackdocs_auto_name = False
openstackdocs_auto_version = False

# The theme asks git for a commit that these pages do not show. There may be no git.
logging.getLogger("sphinx.openstackdocstheme.ext").addFilter(
    lambda record: "gitsha" not in record.getMessage()
)


def setup(app: Sphinx) -> None:
    """Let a page have ``rest_parameters`` without a ``rest_method`` before them."""

    def forget_path_parameters(app: Sphinx, page: str, source: list[str]) -> None:
        app.env.path_params = []  # type: ignore[attr-defined]

    app.connect("source-read", forget_path_parameters)
