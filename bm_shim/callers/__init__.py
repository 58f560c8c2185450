# SPDX-License-Identifier: Apache-2.0
"""Who still calls the legacy API, found in the access logs: what ``bm-shim callers`` shows.

``log`` reads lines, ``tally`` counts them in bounded memory, ``successors`` knows what to use
instead, ``report``, ``text``, ``page`` and ``charts`` show it, and ``runner`` does all in turn.
Nothing here needs the configuration, Keystone or Ironic: logs may be read on any machine.
"""
