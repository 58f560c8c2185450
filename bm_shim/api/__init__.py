# SPDX-License-Identifier: Apache-2.0
"""What a client sees: one module per resource, and what they have in common."""
