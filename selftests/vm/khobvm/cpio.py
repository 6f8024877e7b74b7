# SPDX-License-Identifier: GPL-2.0-only
"""A newc cpio writer: what the kernel unpacks as an initramfs, made without root.

The format is the kernel's Documentation/driver-api/early-userspace/buffer-format.rst:
a 110-byte ASCII header, the name and the data, each padded to 4 bytes. Entries are
sorted, owned by root and dated 0, so that equal trees give equal bytes.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

_MAGIC = b"070701"
_TRAILER = "TRAILER!!!"


@dataclass(frozen=True)
class _Entry:
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def _pad(length: int) -> bytes:
    return b"\0" * (-length % 4)


class Archive:
    """The files of an initramfs; parent directories appear by themselves."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Adds a directory."""
        self._add(path, _Entry(stat.S_IFDIR | mode))

    def file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Adds a regular file."""
        self._add(path, _Entry(stat.S_IFREG | mode, data))

    def symlink(self, path: str, target: str) -> None:
        """Adds a symbolic link."""
        self._add(path, _Entry(stat.S_IFLNK | 0o777, target.encode()))

    def character_device(self, path: str, major: int, minor: int, mode: int = 0o600) -> None:
        """Adds a character device: no root needed, it is only a header."""
        self._add(path, _Entry(stat.S_IFCHR | mode, device=(major, minor)))

    def __contains__(self, path: str) -> bool:
        return path.lstrip("/") in self._entries

    def _add(self, path: str, entry: _Entry) -> None:
        name = path.lstrip("/")
        parent = str(PurePosixPath(name).parent)
        if parent != "." and parent not in self._entries:
            self.directory(parent)
        self._entries[name] = entry

    def write(self, stream: BinaryIO) -> int:
        """Writes the archive; returns its size in bytes."""
        size = 0
        for inode, name in enumerate(sorted(self._entries), 1):
            size += _write_entry(stream, inode, name, self._entries[name])
        return size + _write_entry(stream, 0, _TRAILER, _Entry(0))


def _write_entry(stream: BinaryIO, inode: int, name: str, entry: _Entry) -> int:
    encoded = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (inode, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0,
              *entry.device, len(encoded), 0)
    header = _MAGIC + b"".join(b"%08x" % field for field in fields) + encoded
    block = header + _pad(len(header))
    stream.write(block)
    stream.write(entry.data)
    stream.write(_pad(len(entry.data)))
    return len(block) + len(entry.data) + len(_pad(len(entry.data)))
