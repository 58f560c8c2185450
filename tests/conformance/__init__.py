# SPDX-License-Identifier: Apache-2.0
"""Conversations with the shim, written down as data: what is asked, what must be answered."""
