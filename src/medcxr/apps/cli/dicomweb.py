"""`medcxr dicomweb`: studies of a PACS that speaks DICOMweb."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from medcxr.apps.cli.words import (
    WorkspaceOption,
    open_workspace,
    printable,
    show_disclaimer,
    show_error,
    words,
)
from medcxr.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from medcxr.services.dicomweb import StudyQuery, WebServer
    from medcxr.services.workspace import Workspace

__all__ = ["app"]

app = typer.Typer(
    help="Search a PACS by DICOMweb, fetch radiographs from it, and store results there.",
    no_args_is_help=True,
)

_SENT_AT_ONCE = 64 * 2**20  # bytes of one request, or a single larger file

_UrlOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Address of its DICOMweb, to which /studies is appended; default: that of "
        "the node's settings."
    ),
]
_CredentialsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="File that only its owner may read, with user and password, or with token, as TOML."
    ),
]
_CertificatesOption: TypeAlias = Annotated[
    Path | None, typer.Option(help="PEM file of the authorities that may vouch for the server.")
]
_UnencryptedOption: TypeAlias = Annotated[
    bool,
    typer.Option("--allow-unencrypted", help="Let radiographs leave this computer by http."),
]
_ModalityOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--modality", help="As CR or DX; may be given several times.")
]
_DayFormat = "%Y-%m-%d"
_SinceOption: TypeAlias = Annotated[
    datetime | None, typer.Option(formats=[_DayFormat], help="First day of the studies.")
]
_UntilOption: TypeAlias = Annotated[
    datetime | None, typer.Option(formats=[_DayFormat], help="Last day of the studies.")
]
_PatientOption: TypeAlias = Annotated[str, typer.Option(help="Patient ID of the studies.")]
_AccessionOption: TypeAlias = Annotated[
    str, typer.Option("--accession", help="Accession number of the studies.")
]
_StudyOption: TypeAlias = Annotated[str, typer.Option("--study", help="UID of the study.")]


@app.command()
def search(
    *,
    url: _UrlOption = None,
    credentials: _CredentialsOption = None,
    certificates: _CertificatesOption = None,
    allow_unencrypted: _UnencryptedOption = False,
    modality: _ModalityOption = None,
    since: _SinceOption = None,
    until: _UntilOption = None,
    patient_id: _PatientOption = "",
    accession: _AccessionOption = "",
    study: _StudyOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the studies that the PACS finds. The list names patients."""
    from medcxr.apps.cli.tables import print_table  # noqa: PLC0415 - help must start at once
    from medcxr.services.dicomweb import find_studies  # noqa: PLC0415

    opened = open_workspace(workspace)
    server = _server(opened, url, credentials, certificates, allow_unencrypted=allow_unencrypted)
    found = {
        one.study_instance_uid: one
        for each in _queries(
            modality or [],
            since=since,
            until=until,
            patient_id=patient_id,
            accession=accession,
            study=study,
        )
        for one in find_studies(opened, server, each)
    }
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found.values()]))
        return
    rows = [
        (
            printable(one.study_date),
            printable(", ".join(one.modalities)),
            printable(one.patient_id),
            printable(one.accession_number),
            "" if one.n_instances is None else str(one.n_instances),
            one.study_instance_uid,
        )
        for one in found.values()
    ]
    heads = ("Date", "Modalities", "Patient ID", "Accession", "Instances", "Study")
    print_table("Studies", heads, rows)
    if not found:
        words().print("The PACS finds no such study.")


@app.command()
def fetch(
    *,
    url: _UrlOption = None,
    credentials: _CredentialsOption = None,
    certificates: _CertificatesOption = None,
    allow_unencrypted: _UnencryptedOption = False,
    modality: _ModalityOption = None,
    since: _SinceOption = None,
    until: _UntilOption = None,
    patient_id: _PatientOption = "",
    accession: _AccessionOption = "",
    study: _StudyOption = "",
    read: Annotated[
        bool, typer.Option("--read", help="Read at once what waits, as the node would.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Fetch the radiographs of studies into the inbox, from which the node reads.

    What was received before is not fetched again. Say which studies by at least one option.
    """
    from medcxr.services.dicomweb import (  # noqa: PLC0415 - help must start at once
        fetch_studies,
        find_studies,
    )
    from medcxr.services.node_settings import node_settings  # noqa: PLC0415

    if not (since or until or patient_id or accession or study):
        raise DataError(
            "Nothing says which studies; give --since, --patient-id, --accession or --study."
        )
    show_disclaimer()
    opened = open_workspace(workspace)
    server = _server(opened, url, credentials, certificates, allow_unencrypted=allow_unencrypted)
    modalities = modality or ["CR", "DX"]
    found = {
        one.study_instance_uid: None
        for each in _queries(
            modalities,
            since=since,
            until=until,
            patient_id=patient_id,
            accession=accession,
            study=study,
        )
        for one in find_studies(opened, server, each)
    }
    fetched = fetch_studies(
        opened,
        server,
        list(found),
        modalities=modalities,
        reserve_mib=node_settings(opened).node.reserve_mib,
    )
    words().print(
        f"{len(found)} studies: {fetched.n_new} instances fetched, {fetched.n_known} received "
        f"before, {fetched.n_refused} not to be had."
    )
    if read:
        _read_what_waits(opened)
    if fetched.n_refused:
        raise typer.Exit(1)


@app.command()
def send(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="DICOM files.")],
    *,
    url: _UrlOption = None,
    credentials: _CredentialsOption = None,
    certificates: _CertificatesOption = None,
    allow_unencrypted: _UnencryptedOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Store DICOM files, such as results, at the PACS; exit code 1 if it did not take some."""
    from medcxr.services.dicomweb import send_results  # noqa: PLC0415 - help must start at once

    opened = open_workspace(workspace)
    server = _server(opened, url, credentials, certificates, allow_unencrypted=allow_unencrypted)
    n_stored = n_failed = 0
    for some in _portions(files):
        stored = send_results(opened, server, some)
        n_stored += len(stored.stored)
        n_failed += len(stored.failed)
        for one in stored.failed:
            reason = "no reason given" if one.reason is None else f"reason 0x{one.reason:04X}"
            show_error(f"The PACS did not store {one.sop_instance_uid} ({reason}).")
    words().print(f"{n_stored} instances stored, {n_failed} not.")
    if n_failed:
        raise typer.Exit(1)


def _server(
    workspace: "Workspace",
    url: str | None,
    credentials: Path | None,
    certificates: Path | None,
    *,
    allow_unencrypted: bool,
) -> "WebServer":
    from medcxr.services.dicomweb import FetchingSettings, fetching_settings  # noqa: PLC0415
    from medcxr.services.node_settings import node_settings  # noqa: PLC0415

    if url is None:
        if credentials or certificates or allow_unencrypted:
            raise DataError("Options of a server were given without --url; give it too.")
        table = node_settings(workspace).table("dicomweb")
        if not table:
            raise DataError(
                "No PACS is named; give --url, or write [dicomweb] into the node's settings."
            )
        return fetching_settings(table).server(workspace.node)
    given = FetchingSettings(
        url=url,
        credentials=credentials,
        certificates=certificates,
        allow_unencrypted=allow_unencrypted,
    )
    return given.server(Path.cwd())


def _queries(
    modalities: "Sequence[str]",
    *,
    since: datetime | None,
    until: datetime | None,
    patient_id: str,
    accession: str,
    study: str,
) -> "Iterator[StudyQuery]":
    """Yield one question for each modality: a list of them is no standard question."""
    from medcxr.services.dicomweb import StudyQuery  # noqa: PLC0415 - help must start at once

    for one in modalities or [""]:
        yield StudyQuery(
            modality=one,
            since=None if since is None else since.date(),
            until=None if until is None else until.date(),
            patient_id=patient_id,
            accession_number=accession,
            study_instance_uid=study,
        )


def _portions(files: "Sequence[Path]") -> "Iterator[list[bytes]]":
    """Yield the files' contents, as many as go into one request."""
    portion: list[bytes] = []
    for path in files:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DataError(
                "{path} cannot be read ({reason}).", path=path, reason=error.strerror
            ) from error
        if portion and sum(map(len, portion)) + len(data) > _SENT_AT_ONCE:
            yield portion
            portion = []
        portion.append(data)
    if portion:
        yield portion


def _read_what_waits(workspace: "Workspace") -> None:
    from collections import Counter  # noqa: PLC0415

    from medcxr.core.access import NODE  # noqa: PLC0415
    from medcxr.services.node_plan import node_plan  # noqa: PLC0415
    from medcxr.services.node_reading import read_next  # noqa: PLC0415
    from medcxr.services.node_settings import node_settings  # noqa: PLC0415

    plan = node_plan(workspace, node_settings(workspace))
    used = workspace.used_by(NODE)
    states: Counter[str] = Counter()
    while True:
        done = read_next(used, plan.rules, plan.destinations, worker="command line")
        if done is None:
            break
        states[done.state.value] += 1
    told = ", ".join(f"{n} {state}" for state, n in sorted(states.items())) or "nothing waited"
    words().print(f"Reading: {told}.")
