# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Generated, do not edit, from abi-gen/schema/liveupdate.yaml
# (make it again with: cmake --build build --target abi)
"""/dev/liveupdate: numbers of ioctls, values of fields, layouts of structs.

STRUCTS holds the layouts, each with a format for the module struct; ARGUMENTS says which of
them an ioctl takes, if any.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class Field(NamedTuple):
    """A field: offset and size in bytes, the size that of all of an array; length of an array."""

    type: str
    offset: int
    size: int
    length: int | None


class Struct(NamedTuple):
    """A struct, in bytes; a stream is read one after the other and cannot grow."""

    size: int
    format: str
    stream: bool
    fields: dict[str, Field]


PATH = "/dev/liveupdate"
VERSION = 1

# The type that the numbers of all ioctls have.
IOCTL_TYPE = 0xba
# The name of a session fits this with its 0. [bytes]
SESSION_NAME_LENGTH = 64

# The number of the first one.
CMD_BASE = 0x0
# Number of Ioctl.IOCTL_CREATE_SESSION.
CMD_CREATE_SESSION = 0x0
# Number of Ioctl.IOCTL_RETRIEVE_SESSION.
CMD_RETRIEVE_SESSION = 0x1

# The number of the first one.
CMD_SESSION_BASE = 0x40
# Number of Ioctl.SESSION_PRESERVE_FD.
CMD_SESSION_PRESERVE_FD = 0x40
# Number of Ioctl.SESSION_RETRIEVE_FD.
CMD_SESSION_RETRIEVE_FD = 0x41
# Number of Ioctl.SESSION_FINISH.
CMD_SESSION_FINISH = 0x42
# Number of Ioctl.SESSION_GET_NAME.
CMD_SESSION_GET_NAME = 0x43


class Ioctl(enum.IntEnum):
    """What ioctl() is called with."""

    # Makes a session and opens it (fd). What is in it when the machine jumps into the next kernel
    # is there again in that one; closing it before gives all of it up.
    IOCTL_CREATE_SESSION = 0xba00
    # Opens a session that the kernel before has left (fd).
    IOCTL_RETRIEVE_SESSION = 0xba01
    # Puts what a descriptor is open on into a session that was made here.
    SESSION_PRESERVE_FD = 0xba40
    # Opens a file that the kernel before left in a session (fd), again after the first time. What
    # fails once fails again with the same errno.
    SESSION_RETRIEVE_FD = 0xba41
    # Says that all that is wanted of a session of the kernel before was opened. What was not is
    # gone then. If it fails, everything is as it was.
    SESSION_FINISH = 0xba42
    # Says what the session is called.
    SESSION_GET_NAME = 0xba43


ARGUMENTS: dict[Ioctl, str | None] = {
    Ioctl.IOCTL_CREATE_SESSION: "ioctl_create_session",
    Ioctl.IOCTL_RETRIEVE_SESSION: "ioctl_retrieve_session",
    Ioctl.SESSION_PRESERVE_FD: "session_preserve_fd",
    Ioctl.SESSION_RETRIEVE_FD: "session_retrieve_fd",
    Ioctl.SESSION_FINISH: "session_finish",
    Ioctl.SESSION_GET_NAME: "session_get_name",
}

NEEDS: dict[Ioctl, str | None] = {
    Ioctl.IOCTL_CREATE_SESSION: None,
    Ioctl.IOCTL_RETRIEVE_SESSION: None,
    Ioctl.SESSION_PRESERVE_FD: None,
    Ioctl.SESSION_RETRIEVE_FD: None,
    Ioctl.SESSION_FINISH: None,
    Ioctl.SESSION_GET_NAME: None,
}

STRUCTS: dict[str, Struct] = {
    # Which session to make.
    "ioctl_create_session": Struct(72, "<Ii64B", False, {
        "size": Field("u32", 0, 4, None),
        "fd": Field("s32", 4, 4, None),
        "name": Field("u8", 8, 64, 64),
    }),
    # Which session to open.
    "ioctl_retrieve_session": Struct(72, "<Ii64B", False, {
        "size": Field("u32", 0, 4, None),
        "fd": Field("s32", 4, 4, None),
        "name": Field("u8", 8, 64, 64),
    }),
    # What to keep.
    "session_preserve_fd": Struct(16, "<IiQ", False, {
        "size": Field("u32", 0, 4, None),
        "fd": Field("s32", 4, 4, None),
        "token": Field("u64", 8, 8, None),
    }),
    # What to open.
    "session_retrieve_fd": Struct(16, "<IiQ", False, {
        "size": Field("u32", 0, 4, None),
        "fd": Field("s32", 4, 4, None),
        "token": Field("u64", 8, 8, None),
    }),
    # Nothing that could be chosen.
    "session_finish": Struct(8, "<2I", False, {
        "size": Field("u32", 0, 4, None),
        "reserved": Field("u32", 4, 4, None),
    }),
    # The name of a session.
    "session_get_name": Struct(72, "<2I64B", False, {
        "size": Field("u32", 0, 4, None),
        "reserved": Field("u32", 4, 4, None),
        "name": Field("u8", 8, 64, 64),
    }),
}
