# SPDX-License-Identifier: Apache-2.0
"""bm-shim: Nova's legacy bare metal API, served from Ironic."""

__version__ = "0.1.0"
