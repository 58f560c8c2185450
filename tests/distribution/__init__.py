# SPDX-License-Identifier: Apache-2.0
"""What is handed to users: the wheel and the source distribution."""
