# SPDX-License-Identifier: GPL-2.0-only
"""gdb's remote protocol, as far as reading and writing a guest's physical memory needs it.

A packet is "$" DATA "#" and the sum of DATA's bytes in two hex digits; the other side
answers "+" (taken) or "-" (send it again), then with a packet of its own.
"""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType

from khobvm.errors import VmError

# QEMU's longest packet has 4096 characters, and a byte takes two; a write has a head besides.
READ_BYTES = 2048
WRITE_BYTES = 1024
_SECONDS = 60.0


def encode(data: bytes) -> bytes:
    """A packet; data must hold nothing that has to be escaped, as all we send."""
    if any(c in data for c in b"$#}*"):
        raise ValueError(f"{data!r} would have to be escaped")
    return b"$" + data + b"#%02x" % (sum(data) & 0xff)


class Decoder:
    """Takes bytes as they come, gives whole packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are whole now; VmError if a sum is wrong."""
        self._rest += data
        found: list[bytes] = []
        while True:
            start = self._rest.find(b"$")
            end = self._rest.find(b"#", start)
            if start < 0 or end < 0 or len(self._rest) < end + 3:
                return found
            body, told = self._rest[start + 1:end], self._rest[end + 1:end + 3]
            if b"%02x" % (sum(body) & 0xff) != told.lower():
                raise VmError(f"gdb's stub sent a packet with a wrong sum: {body[:40]!r}")
            found.append(body)
            self._rest = self._rest[end + 3:]


class Stub:
    """QEMU's stub on a Unix socket, set to physical addresses. The VM stands meanwhile."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_SECONDS)
        self._decoder = Decoder()
        self._waiting: list[bytes] = []
        try:
            self._socket.connect(str(path))
            if self._ask(b"Qqemu.PhyMemMode:1") != b"OK":
                raise VmError("QEMU's gdb stub knows no physical addresses")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._socket.close()

    def _ask(self, data: bytes) -> bytes:
        self._socket.sendall(encode(data))
        while not self._waiting:
            got = self._socket.recv(8192)
            if not got:
                raise VmError("QEMU's gdb stub closed the connection")
            self._waiting += self._decoder.feed(got)
        self._socket.sendall(b"+")
        return self._waiting.pop(0)

    def read(self, address: int, size: int) -> bytes:
        """Bytes of physical memory."""
        parts = []
        for at in range(address, address + size, READ_BYTES):
            count = min(READ_BYTES, address + size - at)
            answer = self._ask(b"m%x,%x" % (at, count))
            if len(answer) != 2 * count:
                raise VmError(f"the guest's memory at {at:#x} cannot be read: {answer!r}")
            parts.append(bytes.fromhex(answer.decode("ascii")))
        return b"".join(parts)

    def write(self, address: int, data: bytes) -> None:
        """Writes physical memory."""
        for at in range(0, len(data), WRITE_BYTES):
            part = data[at:at + WRITE_BYTES]
            answer = self._ask(b"M%x,%x:%s" % (address + at, len(part),
                                               part.hex().encode("ascii")))
            if answer != b"OK":
                raise VmError(f"the guest's memory at {address + at:#x} cannot be written: "
                              f"{answer!r}")

    def detach(self) -> None:
        """Lets go; the VM runs from here on."""
        if self._ask(b"D") != b"OK":
            raise VmError("QEMU's gdb stub does not let the VM go")
