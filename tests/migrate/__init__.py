# SPDX-License-Identifier: Apache-2.0
"""The conversion, on real databases."""
