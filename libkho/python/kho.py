# SPDX-License-Identifier: GPL-2.0-only
"""Files that outlive the kernel, by name: libkho for Python.

    kept = kho.keep("my-program", "state", 65536)
    with mmap.mmap(kept.fd, 0) as state: ...

The session in what is kept has to stay alive: the end of it gives the file up. See kho.h for what
each call does. Failures are KhoError, an OSError that has a code.
"""

from __future__ import annotations

import ctypes
import enum
import os
from types import TracebackType
from typing import NamedTuple, Optional, Type

_FILES_MAX = 255


class Code(enum.IntEnum):
    """What went wrong: enum kho_error."""

    OK = 0
    INVALID = 1
    NO_DEVICE = 2
    PERMISSION = 3
    BUSY = 4
    LOADED = 5
    EXISTS = 6
    NOT_FOUND = 7
    TAKEN = 8
    WRONG_SIDE = 9
    PRESERVED = 10
    NOT_MEMFD = 11
    FOREIGN = 12
    DAMAGED = 13
    UNSUPPORTED = 14
    NO_MEMORY = 15
    NO_SPACE = 16
    NO_DESCRIPTOR = 17
    SYSTEM = 18


class KhoError(OSError):
    """A failure: errno of the call that failed, and a sentence that names cause and remedy."""

    def __init__(self, err: int, sentence: str, code: int) -> None:
        super().__init__(err, sentence)
        # A newer library may have more.
        self.code = Code(code) if code in Code.__members__.values() else Code.SYSTEM


class _Kept(ctypes.Structure):
    _fields_ = [("session", ctypes.c_void_p), ("fd", ctypes.c_int), ("found", ctypes.c_bool)]


_LIBRARY = ctypes.CDLL(os.environ.get("KHO_LIBRARY", "libkho.so.0"), use_errno=True)
_POINTER = ctypes.POINTER(ctypes.c_void_p)
_FD = ctypes.POINTER(ctypes.c_int)


def _declare(name: str, result: Optional[type], *arguments: type) -> None:
    function = getattr(_LIBRARY, name)
    function.restype = result
    function.argtypes = arguments


_declare("kho_strerror", ctypes.c_char_p, ctypes.c_int)
_declare("kho_session_create", ctypes.c_int, ctypes.c_char_p, _POINTER)
_declare("kho_session_retrieve", ctypes.c_int, ctypes.c_char_p, _POINTER)
_declare("kho_session_put", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
_declare("kho_session_get", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, _FD)
_declare("kho_session_check", ctypes.c_int, ctypes.c_void_p)
_declare("kho_session_why", ctypes.c_char_p, ctypes.c_void_p)
_declare("kho_session_file", ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
_declare("kho_session_name", ctypes.c_char_p, ctypes.c_void_p)
_declare("kho_session_came", ctypes.c_bool, ctypes.c_void_p)
_declare("kho_session_fd", ctypes.c_int, ctypes.c_void_p)
_declare("kho_session_finish", ctypes.c_int, ctypes.c_void_p)
_declare("kho_session_close", None, ctypes.c_void_p)
_declare("kho_memfd", ctypes.c_int, ctypes.c_char_p, ctypes.c_uint64, _FD)
_declare("kho_keep", ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint64,
         ctypes.POINTER(_Kept))


def _error(code: int) -> KhoError:
    err = ctypes.get_errno()
    return KhoError(err, _LIBRARY.kho_strerror(code).decode(), code)


def _check(code: int) -> None:
    if code:
        raise _error(code)


def _text(name: str) -> bytes:
    """A name for C, which ends at a NUL: the name would be another one."""
    text = os.fsencode(name)
    if b"\0" in text:
        raise ValueError("a name has a NUL in it")
    return text


class Session:
    """A session, open until it is closed or forgotten: create() or retrieve() one."""

    def __init__(self, handle: int) -> None:
        """Takes over what the library has given."""
        self._handle: Optional[int] = handle

    @staticmethod
    def create(name: str) -> Session:
        """A new one, which is handed over as long as it is open."""
        return Session._open(_LIBRARY.kho_session_create, name)

    @staticmethod
    def retrieve(name: str) -> Session:
        """One that the kernel before has left."""
        return Session._open(_LIBRARY.kho_session_retrieve, name)

    @staticmethod
    def _open(how: ctypes._NamedFuncPointer, name: str) -> Session:
        handle = ctypes.c_void_p()
        _check(how(_text(name), ctypes.byref(handle)))
        assert handle.value is not None
        return Session(handle.value)

    def _open_handle(self) -> int:
        if self._handle is None:
            raise ValueError("the session is closed")
        return self._handle

    def put(self, name: str, fd: int) -> None:
        """Hands a memfd over; the caller keeps the descriptor."""
        _check(_LIBRARY.kho_session_put(self._open_handle(), _text(name), fd))

    def get(self, name: str) -> int:
        """Return: a new descriptor of a memfd that came, the caller's to close."""
        fd = ctypes.c_int(-1)
        _check(_LIBRARY.kho_session_get(self._open_handle(), _text(name), ctypes.byref(fd)))
        return fd.value

    def names(self) -> list[str]:
        """All names, in the order in which they were put."""
        found = (_LIBRARY.kho_session_file(self._open_handle(), i) for i in range(_FILES_MAX))
        return [os.fsdecode(name) for name in found if name is not None]

    def check(self) -> None:
        """Raises what keeps the names from being used, if anything does."""
        _check(_LIBRARY.kho_session_check(self._open_handle()))

    @property
    def why(self) -> Optional[str]:
        """What is wrong with the names."""
        sentence = _LIBRARY.kho_session_why(self._open_handle())
        return None if sentence is None else sentence.decode()

    @property
    def name(self) -> str:
        """As it was made."""
        return os.fsdecode(_LIBRARY.kho_session_name(self._open_handle()))

    @property
    def came(self) -> bool:
        """Whether it is of the kernel before."""
        return bool(_LIBRARY.kho_session_came(self._open_handle()))

    def fileno(self) -> int:
        """The session's descriptor, which stays the library's."""
        return int(_LIBRARY.kho_session_fd(self._open_handle()))

    def finish(self) -> None:
        """All that is wanted was got; what was not is freed."""
        _check(_LIBRARY.kho_session_finish(self._open_handle()))

    def close(self) -> None:
        """Gives up what is handed over, or finishes what came. Again does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None:
            _LIBRARY.kho_session_close(handle)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        # There is none if the constructor was not reached.
        if getattr(self, "_handle", None) is not None:
            self.close()


class Kept(NamedTuple):
    """What keep() has found or made. fd is -1 if there is no file, and else the caller's."""

    session: Optional[Session]
    fd: int
    found: bool
    error: Optional[KhoError]


def memfd(name: str, size: int) -> int:
    """Return: a new memfd of so many bytes, of the kind that every kernel hands over."""
    fd = ctypes.c_int(-1)
    if not 0 <= size < 1 << 63:
        raise ValueError("no file has that size")
    _check(_LIBRARY.kho_memfd(_text(name), size, ctypes.byref(fd)))
    return fd.value


def keep(session: str, file: str, size: int) -> Kept:
    """Takes the file from the kernel before or makes it, and hands it over to the next one.

    Raises nothing for what keeps it from being handed over: there may be a file all the same.
    """
    kept = _Kept()
    if not 0 <= size < 1 << 63:
        raise ValueError("no file has that size")
    code = _LIBRARY.kho_keep(_text(session), _text(file), size, ctypes.byref(kept))
    error = _error(code) if code else None
    return Kept(Session(kept.session) if kept.session else None, kept.fd, kept.found, error)
