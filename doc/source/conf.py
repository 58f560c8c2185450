# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the operator's documentation: ``make docs``."""

import logging

extensions = ["openstackdocstheme"]

project = "bm-shim"
project_copyright = "bm-shim contributors"

html_theme = "openstackdocs"
html_theme_options = {
    # The pages of the theme's owner are asked for nothing: no badge, no tracking.
    "display_badge": False,
    "analytics_tracking_code": "",
    "sidebar_mode": "toctree",
    "root_title": project,
}
html_copy_source = False
html_use_index = False

openstackdocs_auto_name = False
openstackdocs_auto_version = False

# The theme asks git for a commit that these pages do not show. There may be no git.
logging.getLogger("sphinx.openstackdocstheme.ext").addFilter(
    lambda record: "gitsha" not in record.getMessage()
)
