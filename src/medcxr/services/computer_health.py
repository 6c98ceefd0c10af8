"""Whether this computer has what the program needs: Python, libraries, memory, disk, a port."""

import http.client
import json
import platform
import shutil
import ssl
import subprocess  # nosec B404 # never a shell
import sys
from contextlib import closing
from http import HTTPStatus
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

from medcxr.core.errors import DataError, StorageError
from medcxr.core.language import say, say_number, text
from medcxr.services.health import LITTLE_DISK, Health, Outcome, attention, broken, good, told_size
from medcxr.services.ports import DEFAULT_ADDRESS, require_free
from medcxr.services.resources import available_memory, usable_cores
from medcxr.storage.atomic import write_bytes_atomically

__all__ = [
    "check_cores",
    "check_disk",
    "check_graphics_card",
    "check_libraries",
    "check_memory",
    "check_port",
    "check_python",
]

_NEEDED_PYTHON = (3, 11)
# An analysis takes 0.6 GB at its peak (benchmarks/analyze.py), the dashboard a little more.
_LITTLE_MEMORY, _TOO_LITTLE_MEMORY = 1_500_000_000, 600_000_000
_TOO_LITTLE_DISK = 100_000_000  # less leaves no room to write at all
_PROBE_BYTES = 2**20
_TORCH_LIMIT_S = 120.0  # a cold disk: torch alone has hundreds of MB
_ANSWER_LIMIT_S = 2.0
_REINSTALL = text("Install it again: python3 manage.py run, or pip install --force-reinstall .")
_INSTALL_TRAINING = text("To train, install the extra: pip install 'medcxr[train]'")


def check_python() -> Outcome:
    """Look at the version of the interpreter."""
    found = say(
        "Python {version} on {system}",
        version=platform.python_version(),
        system=platform.platform(terse=True),
    )
    if sys.version_info >= _NEEDED_PYTHON:
        return good(found)
    needed = ".".join(str(part) for part in _NEEDED_PYTHON)
    return broken(found, say("Use Python {needed} or newer.", needed=needed))


def check_libraries() -> Outcome:
    """Compare the installed libraries with those that the package asks for."""
    try:
        needed = [Requirement(line) for line in metadata.requires("medcxr") or ()]
    except metadata.PackageNotFoundError:
        return attention(
            say("medcxr runs from its folder and is not installed: nothing to compare with."),
            say(_REINSTALL),
        )
    light = [one for one in needed if _is_of(one, "")]
    wrong = [told for told in map(_problem, light) if told]
    if wrong:
        return broken("; ".join(wrong), say(_REINSTALL))
    found = say_number("The one that is needed.", "All {number} that are needed.", len(light))
    training = [one for one in needed if _is_of(one, "train") and not _is_of(one, "")]
    missing = [told for told in map(_problem, training) if told]
    if len(missing) == len(training):
        absent = say("Those for training are not installed; nothing but training needs them.")
        return good(f"{found} {absent}")
    if missing:
        told = say("For training: {problems}", problems="; ".join(missing))
        return attention(f"{found} {told}", say(_INSTALL_TRAINING))
    return good(f"{found} {say('Those for training too.')}")


def check_memory() -> Outcome:
    """Look at how much memory an analysis could take."""
    free, enough = available_memory(), told_size(_LITTLE_MEMORY)
    if free is None:
        return attention(
            say("This system does not tell it."),
            say("See in the Task Manager that {enough} are free.", enough=enough),
        )
    remedy = say(
        "End other programs, or give this one more memory: {enough} let several people work.",
        enough=enough,
    )
    found = say("{free} can be used.", free=told_size(free))
    return _judged(free, _LITTLE_MEMORY, _TOO_LITTLE_MEMORY, found, remedy)


def check_disk(folder: Path) -> Outcome:
    """Look at the free space where the workspace lies, and write a little there.

    Args:
        folder: of the workspace; it exists.
    """
    usage = shutil.disk_usage(folder)
    found = say("{free} of {total} free.", free=told_size(usage.free), total=told_size(usage.total))
    remedy = say("Free space, or name a workspace on another disk with --workspace.")
    probe = folder / ".probe"
    try:
        write_bytes_atomically(probe, bytes(_PROBE_BYTES))
    except StorageError as error:  # and nothing was left
        return broken(f"{found} {say(error.sentence)}", remedy)
    probe.unlink()
    return _judged(usage.free, LITTLE_DISK, _TOO_LITTLE_DISK, found, remedy)


def check_cores() -> Outcome:
    """Look at how many cores this process may use."""
    cores = usable_cores()
    found = say_number("{number} core.", "{number} cores.", round(cores))
    if cores != round(cores):
        found = say("{cores:.1f} cores.", cores=cores)
    if cores >= 2:
        return good(found)
    return attention(
        found, say("Two or more let several people work at once; with fewer they wait.")
    )


def check_graphics_card() -> Outcome:
    """Name the graphics cards that a training could use; nothing needs one."""
    if find_spec("torch") is None:
        return good(say("Not looked for, as torch is not installed. None is needed."))
    try:
        cards = _ask_torch()
    except (OSError, ValueError, subprocess.SubprocessError):
        return attention(
            say("torch is installed but cannot be loaded, so nothing can be trained."),
            say(_INSTALL_TRAINING),
        )
    if not cards:
        return good(say("None. None is needed; a training takes longer without."))
    return good(say("{names}: for training. Analyses need none.", names=", ".join(cards)))


def check_port(port: int) -> Outcome:
    """Look whether a dashboard could listen on a port of this computer."""
    try:
        require_free(DEFAULT_ADDRESS, port)
    except DataError as error:
        remedy = say("Start the dashboard on another port: medcxr dashboard --port PORT")
        if not _answers_as_dashboard(port):
            return broken(say(error.sentence), remedy)
        return attention(
            say(
                "Port {port} is in use by a server like the dashboard's: by the dashboard, if it "
                "runs.",
                port=port,
            ),
            say("Nothing, if it runs. Otherwise:") + " " + remedy,
        )
    return good(say("Port {port} is free.", port=port))


def _judged(free: float, little: float, too_little: float, found: str, remedy: str) -> Outcome:
    if free >= little:
        return good(found)
    health = Health.BROKEN if free < too_little else Health.ATTENTION
    return Outcome(health=health, found=found, remedy=remedy)


def _is_of(needed: Requirement, extra: str) -> bool:
    return needed.marker is None or needed.marker.evaluate({"extra": extra})


def _problem(needed: Requirement) -> str:
    """Return what is wrong with a library, or nothing."""
    try:
        version = metadata.version(needed.name)
    except metadata.PackageNotFoundError:
        return say("{library} is missing", library=needed.name)
    if needed.specifier.contains(version, prereleases=True):
        return ""
    return say(
        "{library} is {version}, needed is {needed}",
        library=needed.name,
        version=version,
        needed=needed.specifier,
    )


def _ask_torch() -> list[str]:
    # A process of its own: torch would stay in the memory of the dashboard.
    process = subprocess.run(  # nosec B603 # this Python, with fixed words
        [sys.executable, "-P", "-m", "medcxr.learning.graphics_cards"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TORCH_LIMIT_S,
        check=True,
    )
    return [str(card) for card in json.loads(process.stdout)]


def _answers_as_dashboard(port: int) -> bool:
    # Not urllib: it would follow a redirect, and ask by a proxy that the environment names.
    plain = http.client.HTTPConnection(DEFAULT_ADDRESS, port, timeout=_ANSWER_LIMIT_S)
    # Nothing is told to whatever answers, so it needs to prove nothing.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    encrypted = http.client.HTTPSConnection(
        DEFAULT_ADDRESS, port, timeout=_ANSWER_LIMIT_S, context=context
    )
    return _says_ok(plain) or _says_ok(encrypted)


def _says_ok(connection: http.client.HTTPConnection) -> bool:
    with closing(connection):
        try:
            connection.request("GET", "/_stcore/health")
            reply = connection.getresponse()
            return reply.status == HTTPStatus.OK and reply.read(16).strip() == b"ok"
        except (OSError, http.client.HTTPException):  # what answers does not speak HTTP
            return False
