# SPDX-License-Identifier: GPL-2.0-only
"""The cases: every module here has a tuple CASES."""
