# SPDX-License-Identifier: Apache-2.0
"""What keeps a comparison from being made."""


class CompareError(Exception):
    """It cannot be made; the text says why, is fit to be shown, and holds no secret."""


class NoAnswer(CompareError):
    """A server gave no answer, or none in time, or one without end."""
