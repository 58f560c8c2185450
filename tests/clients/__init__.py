# SPDX-License-Identifier: Apache-2.0
"""Real clients of the Nova era, and today's, against a real sandbox."""
