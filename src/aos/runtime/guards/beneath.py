"""Opens files beneath a folder, whatever happens to the names on the way meanwhile.

Checking a path and then opening it leaves time for somebody to put a symbolic link into it. On Linux the kernel does
both at once: openat2(2) with RESOLVE_BENEATH. Elsewhere, and where a sandbox forbids that call, every component is
opened by itself relative to the one before, and none may be a symbolic link; then links inside the folder are refused
too, though they would do no harm.
"""

import ctypes
import errno
import os
import platform
from collections.abc import Callable, Sequence

__all__ = ["Opener", "by_component", "by_kernel", "usual_opener"]

Opener = Callable[[int, Sequence[str], int], int]
"""(folder, components of a path, flags) to a file descriptor. Raises OSError."""

_OPENAT2 = 437  # on every architecture that Linux gave the number to since 2019
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_BENEATH = 0x08
_TRIES = 1_000


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def by_kernel(folder: int, parts: Sequence[str], flags: int) -> int:
    """openat2(2): symbolic links are followed as long as they stay beneath; `/proc/self/fd/3` and its like never."""
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
    path = os.fsencode("/".join(parts) or ".")
    libc = ctypes.CDLL(None, use_errno=True)
    for _ in range(_TRIES):
        found: int = libc.syscall(
            _OPENAT2, folder, ctypes.c_char_p(path), ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how))
        )
        if found >= 0:
            return found
        if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):  # EAGAIN: something moved on the way
            break
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def by_component(folder: int, parts: Sequence[str], flags: int) -> int:
    """One open(2) for each component, each with O_NOFOLLOW."""
    here = os.dup(folder)
    try:
        for part in parts[:-1]:
            there = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = there
        last = parts[-1] if parts else "."
        return os.open(last, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
    finally:
        os.close(here)


def usual_opener() -> Opener:
    """The kernel's way where it answers, the portable one elsewhere."""
    if platform.system() != "Linux":
        return by_component
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(by_kernel(here, (), os.O_RDONLY | os.O_DIRECTORY))
    except OSError:
        return by_component
    finally:
        os.close(here)
    return by_kernel
