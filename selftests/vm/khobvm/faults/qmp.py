# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's monitor: commands and events as lines of JSON over a Unix socket."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from types import TracebackType

from khobvm.errors import VmError

_SECONDS = 120.0
_CONNECT_SECONDS = 30.0


def _connect(path: Path) -> socket.socket:
    """QEMU makes the socket some time after it has started."""
    end = time.monotonic() + _CONNECT_SECONDS
    while True:
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            one.connect(str(path))
            return one
        except OSError as error:
            one.close()
            if time.monotonic() > end:
                raise VmError(f"QEMU's monitor does not answer: {error}") from error
            time.sleep(0.01)


class Monitor:
    """A connection."""

    def __init__(self, path: Path) -> None:
        self._socket = _connect(path)
        self._socket.settimeout(_SECONDS)
        self._stream = self._socket.makefile("r", encoding="utf-8")
        self._events: list[dict[str, object]] = []
        self._next()  # The greeting.
        self.execute("qmp_capabilities")

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stream.close()
        self._socket.close()

    def _next(self) -> dict[str, object]:
        try:
            line = self._stream.readline()
        except OSError as error:
            raise VmError(f"QEMU's monitor: {error}") from error
        if not line:
            raise VmError("QEMU closed its monitor")
        found = json.loads(line)
        if not isinstance(found, dict):
            raise VmError(f"QEMU's monitor sent {line[:80]!r}")
        return found

    def execute(self, command: str, **arguments: object) -> object:
        """Runs a command. Return: what it returns."""
        words = {"execute": command, "arguments": arguments}
        self._socket.sendall(json.dumps(words).encode("utf-8") + b"\n")
        while True:
            answer = self._next()
            if "event" in answer:
                self._events.append(answer)
            elif "error" in answer:
                raise VmError(f"QEMU refuses {command}: {answer['error']}")
            else:
                return answer.get("return")

    def migration(self, command: str, uri: str) -> None:
        """Sends or takes in a VM's state, RAM that is a shared file left where it is."""
        wanted = [{"capability": name, "state": True} for name in ("events", "x-ignore-shared")]
        self.execute("migrate-set-capabilities", capabilities=wanted)
        self.execute(command, uri=uri)
        while True:
            event = self._events.pop(0) if self._events else self._next()
            data = event.get("data")
            status = data.get("status") if isinstance(data, dict) else None
            if event.get("event") == "MIGRATION" and status == "completed":
                return
            if event.get("event") == "MIGRATION" and status == "failed":
                raise VmError(f"QEMU could not {command} the VM's state ({uri})")
