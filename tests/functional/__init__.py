# SPDX-License-Identifier: Apache-2.0
"""The shim over HTTP, before a real Keystone and a real Ironic."""
