"""How much and how long: the dashboard's limits."""

from medcxr.imaging.limits import MAX_FILE_BYTES

__all__ = ["SHOWN_SIDE", "UPLOAD_LIMIT_MB", "VIEWED_SIDE"]

UPLOAD_LIMIT_MB = MAX_FILE_BYTES // 2**20  # per file; more would be refused after the upload
SHOWN_SIDE = 1024  # longer side of pictures on the screen, in pixels
VIEWED_SIDE = 2560  # longer side in the viewer, in pixels: a whole plate at 0.17 mm, some 10 MB
