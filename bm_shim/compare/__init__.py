# SPDX-License-Identifier: Apache-2.0
"""Two servers, asked the same: what ``bm-shim compare`` does before the balancer is turned.

``cases`` says what is asked, ``client`` asks it of one server, ``difference`` finds what differs
between two answers, ``report`` shows it, ``sign_in`` gets the token, and ``runner`` does all in
turn. Only GET requests are ever sent.
"""
