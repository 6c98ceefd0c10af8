"""Let the C library keep freed memory: training frees and asks for the same large blocks."""

import ctypes
import platform

__all__ = ["keep_freed_memory"]

# Parameters of mallopt(3) and values for them, bytes
_SETTINGS = {
    -3: 2**31 - 1,  # M_MMAP_THRESHOLD: no block is so large that it is mapped on its own
    -1: 2**31 - 1,  # M_TRIM_THRESHOLD: give nothing back while the process runs
    -2: 2**28,  # M_TOP_PAD: grow in large steps
}


def keep_freed_memory() -> bool:
    """Stop the allocator from giving large blocks back to the system after every step.

    On CPUs an activation of tens of megabytes is mapped, zeroed page by page, and unmapped in
    every layer; kept memory makes a training step up to a third faster. Does nothing where the
    C library is not glibc.

    Returns:
        Whether the settings were accepted.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return all(library.mallopt(key, value) == 1 for key, value in _SETTINGS.items())
