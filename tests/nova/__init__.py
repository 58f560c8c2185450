# SPDX-License-Identifier: Apache-2.0
"""The shim beside a real nova-api, both in front of the same Ironic and Keystone."""
