# SPDX-License-Identifier: GPL-2.0-only
"""`python3 -m khobvm`."""

import sys

from khobvm.cli import main

sys.exit(main(sys.argv[1:]))
