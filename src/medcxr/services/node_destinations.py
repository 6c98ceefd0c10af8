"""Where the DICOM node sends its results: `[[destinations]]` and `[delivery]` of node.toml."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from medcxr.core.errors import DataError
from medcxr.core.result_objects import ResultKind
from medcxr.services.node_tables import structured

__all__ = [
    "FHIR",
    "DeliveryRules",
    "Destination",
    "DicomDestination",
    "DicomwebDestination",
    "FhirDestination",
    "FolderDestination",
    "delivery_rules",
    "destinations_of",
    "wanted_results",
]

FHIR = "fhir"
"""Beside the kinds of DICOM objects: a FHIR bundle with a diagnostic report."""

_USUAL = (ResultKind.STRUCTURED_REPORT.value, ResultKind.SECONDARY_CAPTURE.value)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
_AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e]{1,16}")  # PS3.5 section 6.2, AE; no spaces here


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomDestination:
    """A system that is sent to by C-STORE.

    Attributes:
        name: of the destination, in status and audit trail.
        host: name or address.
        port: TCP port.
        ae_title: its AE title.
        calling_ae_title: this node's.
        results: kinds of objects that it gets.
        tls_authorities: PEM file of those that must have signed its certificate; with it the
            association is encrypted.
        tls_certificate: this node's, where the other system asks for one.
        tls_key: that belongs to it.
        timeout_s: for a connection, and for each answer.
    """

    name: str
    host: str
    port: int
    ae_title: str
    calling_ae_title: str = "MEDCXR"
    results: tuple[str, ...] = _USUAL
    tls_authorities: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomwebDestination:
    """A system that is sent to by STOW-RS.

    Attributes:
        name: as above.
        url: of its DICOMweb service, to which /studies is appended.
        results: as above.
        credentials: file with a user and password, or a token; None for none.
        certificates: PEM file of authorities; None for the system's.
        allow_unencrypted: whether http may leave this computer.
    """

    name: str
    url: str
    results: tuple[str, ...] = _USUAL
    credentials: Path | None = None
    certificates: Path | None = None
    allow_unencrypted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirDestination:
    """A FHIR server that gets each bundle as a transaction; the fields as above."""

    name: str
    url: str
    credentials: Path | None = None
    certificates: Path | None = None
    allow_unencrypted: bool = False
    results: tuple[str, ...] = (FHIR,)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderDestination:
    """A folder that results are written to; whoever takes them out may be anybody.

    Attributes:
        name: as above.
        folder: an existing one.
        results: kinds of objects, and "fhir" for bundles as JSON.
    """

    name: str
    folder: Path
    results: tuple[str, ...] = _USUAL


Destination: TypeAlias = (
    DicomDestination | DicomwebDestination | FhirDestination | FolderDestination
)

_KINDS: Mapping[str, type[Destination]] = {
    "dicom": DicomDestination,
    "dicomweb": DicomwebDestination,
    "fhir": FhirDestination,
    "folder": FolderDestination,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """`[delivery]` of node.toml.

    Attributes:
        first_pause_s: after the first vain try; each further one doubles it.
        longest_pause_s: at most.
        keep_trying_days: then a result is given up, which the status tells.
        keep_sent_days: how long it is known what was sent.
        at_once: results of one association or request at most.
    """

    first_pause_s: float = 5.0
    longest_pause_s: float = 300.0
    keep_trying_days: float = 7.0
    keep_sent_days: float = 90.0
    at_once: int = 50

    def pause_s(self, attempts: int) -> float:
        """Return how long to wait after so many vain tries, 1 or more."""
        doubled = self.first_pause_s * 2.0 ** min(attempts - 1, _MOST_DOUBLINGS)
        return float(min(doubled, self.longest_pause_s))


def delivery_rules(plain: Mapping[str, object]) -> DeliveryRules:
    """Read `[delivery]`; what it leaves out keeps its default.

    Raises:
        DataError: a key is unknown or a value wrong.
    """
    rules: DeliveryRules = structured(plain, DeliveryRules, "delivery")
    for name in rules.__slots__:
        if not 0 < getattr(rules, name) <= _LARGEST:
            raise DataError(f"{name} in [delivery] must be above 0 and at most {_LARGEST:g}.")
    if rules.at_once > _MOST_AT_ONCE:
        raise DataError(f"at_once in [delivery] must be at most {_MOST_AT_ONCE}.")
    return rules


def destinations_of(plain: Sequence[object], folder: Path) -> tuple[Destination, ...]:
    """Read `[[destinations]]`.

    Args:
        plain: the tables, each with its kind.
        folder: to which paths in them are relative.

    Raises:
        DataError: a key is missing or unknown, a value wrong, or a name is there twice.
    """
    found = [_destination(one, folder) for one in plain]
    names = [one.name.casefold() for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"Two destinations are called {twice}; give each a name of its own.")
    return tuple(found)


def wanted_results(destinations: Iterable[Destination]) -> frozenset[str]:
    """Return the kinds of results that any destination gets."""
    return frozenset(kind for one in destinations for kind in one.results)


_MOST_DOUBLINGS = 30
_LARGEST = 1e6
_MOST_AT_ONCE = 1000


def _destination(plain: object, folder: Path) -> Destination:
    if not isinstance(plain, Mapping):
        raise DataError("destinations must be tables; write [[destinations]] before each.")
    kind = plain.get("kind")
    made_of = _KINDS.get(kind) if isinstance(kind, str) else None
    if made_of is None:
        raise DataError(f"kind in [[destinations]] must be one of {', '.join(_KINDS)}.")
    rest = {name: value for name, value in plain.items() if name != "kind"}
    made: Destination = structured(rest, made_of, "[destinations]")
    if not _NAME.fullmatch(made.name):
        raise DataError(
            "name in [[destinations]] must be 1 to 50 letters, digits, dots, lines and underscores."
        )
    _check_results(made)
    if isinstance(made, DicomDestination):
        _check_dicom(made)
    return _with_paths(made, folder)


def _check_results(made: Destination) -> None:
    possible = {FHIR} if isinstance(made, FhirDestination) else {kind.value for kind in ResultKind}
    if isinstance(made, FolderDestination):
        possible |= {FHIR}
    if not made.results or not set(made.results) <= possible:
        raise DataError(
            f"results of destination {made.name} must be some of "
            f"{', '.join(repr(one) for one in sorted(possible))}."
        )


def _check_dicom(made: DicomDestination) -> None:
    if not 0 < made.port < 2**16:
        raise DataError(f"port of destination {made.name} must be 1 to 65535.")
    for name in ("ae_title", "calling_ae_title"):
        if not _AE_TITLE.fullmatch(getattr(made, name)):
            raise DataError(
                f"{name} of destination {made.name} must be 1 to 16 printable characters without "
                "spaces and backslashes."
            )
    if not 0 < made.timeout_s <= _LARGEST:
        raise DataError(f"timeout_s of destination {made.name} must be above 0.")
    if (made.tls_certificate is None) != (made.tls_key is None) or (
        made.tls_certificate is not None and made.tls_authorities is None
    ):
        raise DataError(
            f"Destination {made.name} needs tls_certificate and tls_key together, and "
            "tls_authorities with them."
        )


def _with_paths(made: Destination, folder: Path) -> Destination:
    changed: dict[str, Any] = {}
    for name in made.__slots__:
        value = getattr(made, name)
        if isinstance(value, Path):
            changed[name] = folder / value.expanduser()
    return replace(made, **changed)
