"""Copies of DICOM files that name nobody, to hand on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, ImageError, StorageError
from medcxr.core.language import text
from medcxr.deidentification.isolated import deidentify_isolated
from medcxr.deidentification.regions import Blanking
from medcxr.deidentification.uids import KEY_BYTES
from medcxr.imaging.limits import MAX_FILE_BYTES
from medcxr.services.audit import note_alone
from medcxr.services.secret_keys import secret_key
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_bytes_atomically

__all__ = ["DeidentifiedFile", "deidentify_files", "files_of"]

_WITHOUT_KEY = text(
    "images that are de-identified from now on no longer fit those that were before"
)
_EVERYTHING = Blanking()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeidentifiedFile:
    """What became of a file.

    Attributes:
        source: the file.
        written: the copy; None where there is none.
        is_blanked: whether regions of its image were blanked.
        refused: why there is none; empty where there is one.
    """

    source: Path
    written: Path | None
    is_blanked: bool
    refused: str


def files_of(sources: Iterable[Path]) -> list[Path]:
    """Return the files, and those in the folders, whatever they are; links are not followed.

    Raises:
        DataError: there is no such file or folder.
    """
    found: dict[Path, None] = {}
    for source in sources:
        if source.is_dir():
            inside = (one for one in sorted(source.rglob("*")) if not one.is_symlink())
            found |= dict.fromkeys(one for one in inside if one.is_file())
        elif source.is_file():
            found[source] = None
        else:
            raise DataError("{source} is neither a file nor a folder.", source=source)
    return list(found)


def deidentify_files(
    workspace: Workspace,
    sources: Sequence[Path],
    out: Path,
    *,
    blanking: Blanking = _EVERYTHING,
    show: Callable[[DeidentifiedFile], None] | None = None,
) -> list[DeidentifiedFile]:
    """Write a copy of each DICOM image that names nobody, named by its new UID.

    The workspace's own key makes the UIDs, so that images of one study stay together, also with
    those that are de-identified later.

    Args:
        workspace: whose key makes the UIDs.
        sources: DICOM files of images.
        out: folder of the copies; it is made where it is missing. No file in it is replaced.
        blanking: what to blank.
        show: called with what became of each file.

    Raises:
        AccessError: images may not be exported.
        StorageError: the folder or the key cannot be written.
    """
    workspace.require(Permission.EXPORT_CASES)
    key = secret_key(workspace, "uids", KEY_BYTES, without_it=_WITHOUT_KEY)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            "{folder} cannot be created: {reason}; let this user write to it.",
            folder=out,
            reason=error.strerror,
        ) from error
    done = []
    try:
        for one in _done(sources, out, key, blanking):
            done.append(one)
            if show is not None:
                show(one)
    finally:
        if done:
            _tell(workspace, done)
    return done


def _done(
    sources: Sequence[Path], out: Path, key: bytes, blanking: Blanking
) -> Iterator[DeidentifiedFile]:
    for source in sources:
        try:
            written, is_blanked = _copy(source, out, key, blanking)
        except ImageError as error:
            yield DeidentifiedFile(
                source=source, written=None, is_blanked=False, refused=error.sentence
            )
        else:
            yield DeidentifiedFile(
                source=source, written=written, is_blanked=is_blanked, refused=""
            )


def _copy(source: Path, out: Path, key: bytes, blanking: Blanking) -> tuple[Path, bool]:
    instance, data, is_blanked = deidentify_isolated(_read(source), key, blanking)
    written = out / f"{instance}.dcm"
    if written.exists():
        raise ImageError(
            "{written} exists already: it is a copy of the same image; move it away to write it "
            "anew.",
            written=written.name,
        )
    write_bytes_atomically(written, data)
    return written, is_blanked


def _read(source: Path) -> bytes:
    try:
        with source.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ImageError(
            "The file cannot be opened ({reason}); check that it exists and may be read.",
            reason=error.strerror,
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(
            "The file is larger than {limit} MiB, which no single radiograph is; send one image "
            "per file.",
            limit=MAX_FILE_BYTES // 2**20,
        )
    return data


def _tell(workspace: Workspace, done: Sequence[DeidentifiedFile]) -> None:
    written = [one for one in done if one.written is not None]
    note_alone(
        workspace,
        AuditAction.IMAGES_DEIDENTIFIED,
        f"{len(written)} images",
        blanked=sum(one.is_blanked for one in written),
        failed=len(done) - len(written),
    )
