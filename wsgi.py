# SPDX-License-Identifier: Apache-2.0
"""For servers that want a file: ``gunicorn wsgi:application``, from the checkout."""

from bm_shim.wsgi import application

__all__ = ["application"]
