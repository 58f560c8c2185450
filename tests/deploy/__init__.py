# SPDX-License-Identifier: Apache-2.0
"""What is in ``deploy/``: each file is read by a program that knows its format, and most run."""
