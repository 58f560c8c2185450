# SPDX-License-Identifier: Apache-2.0
"""Each Ironic that is supported: the same tests, the same answers."""
