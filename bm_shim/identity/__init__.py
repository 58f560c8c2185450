# SPDX-License-Identifier: Apache-2.0
"""The identity bridge: identity v2.0 for old clients, translated into Keystone v3 and back.

Its views are in :mod:`bm_shim.api.identity`. Nothing that comes by is kept: no password, no token,
no answer of Keystone.
"""
