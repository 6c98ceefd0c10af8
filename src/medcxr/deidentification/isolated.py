"""Files de-identified in processes of their own, which may crash, hang or run out of memory."""

import json
import subprocess  # nosec B404 # never a shell
import sys
from dataclasses import asdict

from medcxr.core.errors import ImageError
from medcxr.core.language import Sentence
from medcxr.deidentification.regions import Blanking, Region

__all__ = ["deidentify_isolated", "main"]

_TIMEOUT_S = 60.0  # of a start on a busy computer, and reading and writing one file
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from medcxr.deidentification.isolated import main; main()"
)
_DAMAGED = Sentence(
    "The DICOM file is damaged, cut off or not written as the format demands; export the image "
    "again."
)


def deidentify_isolated(data: bytes, key: bytes, blanking: Blanking) -> tuple[str, bytes, bool]:
    """De-identify an image; arguments as for `deidentify_file`.

    Returns:
        The new SOP Instance UID, the file, and whether regions were blanked.

    Raises:
        ImageError: it cannot be de-identified.
    """
    asked = json.dumps({"key": key.hex(), "blanking": asdict(blanking)}).encode() + b"\n"
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments  # nosec B603
            [sys.executable, "-I", "-c", _BOOT, json.dumps(sys.path)],
            input=asked + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries quote header values in their warnings
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ImageError(_DAMAGED) from error
    head, _, written = done.stdout.partition(b"\n")
    if done.returncode or not head:
        raise ImageError(_DAMAGED)
    told = json.loads(head)
    if "refused" in told:
        raise ImageError(Sentence.of_parts(told["refused"]))
    return told["instance"], written, told["is_blanked"]


def main() -> None:
    """Answer one request on standard input: a line of JSON, then the file."""
    from medcxr.deidentification.files import deidentify_file  # noqa: PLC0415 - not the caller's

    asked = json.loads(sys.stdin.buffer.readline())
    regions = tuple(Region(**one) for one in asked["blanking"].pop("regions"))
    blanking = Blanking(regions=regions, **asked["blanking"])
    output = sys.stdout.buffer
    try:
        made = deidentify_file(sys.stdin.buffer.read(), bytes.fromhex(asked["key"]), blanking)
    except ImageError as error:
        output.write(json.dumps({"refused": error.sentence.parts()}).encode() + b"\n")
    except Exception:  # noqa: BLE001 - whatever a library raises says that the file is damaged
        output.write(json.dumps({"refused": _DAMAGED.parts()}).encode() + b"\n")
    else:
        head = {"instance": made.instance, "is_blanked": made.is_blanked}
        output.write(json.dumps(head).encode() + b"\n" + made.data)
