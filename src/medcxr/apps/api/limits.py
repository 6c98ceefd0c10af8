"""How much one program may ask for before it is told to wait."""

from dataclasses import dataclass, field

from medcxr.core.cores import available_cores
from medcxr.imaging.limits import MAX_FILE_BYTES

__all__ = ["ANALYSES_PATH", "Limits"]

ANALYSES_PATH = "/v1/analyses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What holds unless whoever makes the application says otherwise.

    Attributes:
        file_bytes: of an uploaded radiograph.
        frame_bytes: of an upload around the radiograph: names and boundaries.
        body_bytes: of any other request.
        upload_s: seconds until a request's body must be there.
        analysis_s: seconds until an analysis must be done, its turn included.
        workers: analyses at the same time.
        places: analyses admitted at the same time, those that wait included; each may hold one file
            in memory.
        token_burst: requests that a token may make at once.
        token_per_s: requests a second that are given back to it.
        failures_burst: wrong tokens that an address may send at once.
        failures_per_s: wrong tokens a second that are given back to it.
    """

    file_bytes: int = MAX_FILE_BYTES
    frame_bytes: int = 64 * 2**10
    body_bytes: int = 64 * 2**10
    upload_s: float = 60.0
    analysis_s: float = 120.0
    workers: int = field(default_factory=available_cores)
    places: int = 8
    token_burst: int = 60
    token_per_s: float = 5.0
    failures_burst: int = 10
    failures_per_s: float = 0.1

    def body_limit(self, path: str) -> int:
        """Return how many bytes a request to a path may have."""
        if path == ANALYSES_PATH:
            return self.file_bytes + self.frame_bytes
        return self.body_bytes
