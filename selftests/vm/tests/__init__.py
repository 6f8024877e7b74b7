# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the VM runner itself that need no VM: `python3 -m unittest tests` here."""
