# SPDX-License-Identifier: Apache-2.0
"""What clients of each era of Nova sent, replayed, and answered as their server answered."""
