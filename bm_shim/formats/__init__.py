# SPDX-License-Identifier: Apache-2.0
"""Bodies of the legacy API: one module per dialect, each a pure function over the model.

A format module has ``node(node)`` for show and create, ``node_in_list(node)`` and
``interface(interface)``, each of which returns a JSON object.
"""
