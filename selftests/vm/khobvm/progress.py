# SPDX-License-Identifier: GPL-2.0-only
"""Progress on standard error: one live line on a terminal, plain lines otherwise."""

from __future__ import annotations

import shutil
import sys
import threading
from typing import TextIO


class Progress:
    """Shows what is being done; safe to call from several threads."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._live = self._stream.isatty()
        self._lock = threading.Lock()
        self._shown = False

    @property
    def live(self) -> bool:
        """True when the line can be redrawn in place."""
        return self._live

    def step(self, text: str) -> None:
        """Replaces the live line; without a terminal prints nothing."""
        if not self._live:
            return
        width = shutil.get_terminal_size().columns - 1
        with self._lock:
            self._stream.write("\r\x1b[K" + text[:width])
            self._stream.flush()
            self._shown = True

    def line(self, text: str) -> None:
        """Prints a line that stays, above the live one."""
        with self._lock:
            self._clear()
            self._stream.write(text + "\n")
            self._stream.flush()

    def done(self) -> None:
        """Takes the live line away."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._shown = False
