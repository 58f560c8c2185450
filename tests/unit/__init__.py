# SPDX-License-Identifier: Apache-2.0
"""Unit tests: the shim alone, with Ironic and Keystone played at the HTTP wire."""
