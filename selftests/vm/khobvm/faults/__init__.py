# SPDX-License-Identifier: GPL-2.0-only
"""`make faults`: a saved VM is started again and again, each time with one fault in its memory."""
