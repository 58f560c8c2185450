# SPDX-License-Identifier: Apache-2.0
"""The shim while something fails: Ironic, Keystone, memcached, the network, a replica of its own.

What is promised stands in :mod:`faults.table`, and from there in ``doc/source/faults.rst``.
"""
