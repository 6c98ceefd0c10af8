"""What is fed with damaged input: each part of the program that reads what strangers made.

A further one, e.g. an archive, is one more `Target` in `TARGETS`: seeds, mutators, and a function
that reads the bytes and raises nothing but a `MedcxrError`.
"""

import asyncio
import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from fuzz import mutation
from medcxr.core.errors import DataError, MedcxrError, ModelError, StorageError
from medcxr.core.source_header import SourceHeader

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MEDCXR_TEST_DATA", ROOT.parent / "shared" / "data"))
SIDE = 160  # pixels of simulated radiographs: small ones are damaged as well as large ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A part of the program that reads bytes.

    Attributes:
        name: of the part.
        share: of all cases, beside the others' shares.
        seeds: returns whole files, which are read before any is damaged.
        mutators: that know the format.
        read: reads one file; returns or raises a `MedcxrError`.
    """

    name: str
    share: float
    seeds: Callable[[], Sequence[bytes]]
    mutators: Sequence[mutation.Mutator]
    read: Callable[[bytes], object]


@cache
def _radiograph():
    from medcxr.synthetic.parameters import ThoraxParameters
    from medcxr.synthetic.radiograph import simulate

    return simulate(ThoraxParameters(), size=SIDE)


def _picture() -> Image.Image:
    return Image.fromarray(np.rint(_radiograph().pixels * 255).astype(np.uint8))


def _saved(format_: str, picture: Image.Image | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    (picture or _picture()).save(file, format_, **options)
    return file.getvalue()


def _real(pattern: str, n: int, *, most_bytes: int = 2**20) -> list[bytes]:
    """Return real files where there are some, the first ones by name."""
    paths = sorted(DATA.glob(pattern)) if DATA.is_dir() else []
    small = [path for path in paths if path.stat().st_size <= most_bytes]
    return [path.read_bytes() for path in small[:n]]


def png_files() -> list[bytes]:
    deep = np.rint(_radiograph().pixels * 65535).astype(np.uint16)
    return [
        _saved("PNG"),
        _saved("PNG", Image.fromarray(deep)),
        _saved("PNG", _picture().convert("P")),
        _saved("TIFF"),
        _saved("TIFF", compression="tiff_lzw"),
    ]


def jpeg_files() -> list[bytes]:
    return [
        _saved("JPEG"),
        _saved("JPEG", progressive=True),
        _saved("JPEG", _picture().convert("RGB")),
        *_real("nih/images/*.jpg", 2),
    ]


def dicom_files() -> list[bytes]:
    from pydicom import uid
    from pydicom.encaps import encapsulate
    from pydicom.filebase import DicomBytesIO
    from pydicom.filereader import dcmread

    from medcxr.synthetic.dicom import write_dicom

    with TemporaryDirectory() as folder:
        path = Path(folder) / "synthetic.dcm"
        write_dicom(_radiograph(), path, patient=1)
        plain = path.read_bytes()
    files = [plain]
    frames = {
        uid.JPEGBaseline8Bit: _saved("JPEG"),
        uid.JPEG2000Lossless: _saved("JPEG2000", no_jp2=True),
    }
    for syntax in (
        uid.RLELossless,
        uid.JPEGLSLossless,
        uid.DeflatedExplicitVRLittleEndian,
        *frames,
    ):
        made = dcmread(io.BytesIO(plain))
        if syntax in frames:
            made.BitsAllocated, made.BitsStored, made.HighBit = 8, 8, 7
            made.PixelData = encapsulate([frames[syntax]])
            made["PixelData"].VR = "OB"
        elif syntax != uid.DeflatedExplicitVRLittleEndian:
            made.compress(syntax, generate_instance_uid=False)
        made.file_meta.TransferSyntaxUID = syntax
        file = DicomBytesIO()
        made.save_as(file, enforce_file_format=True)
        files.append(file.getvalue())
    return [*files, *_real("dicom/*.dcm", 12, most_bytes=300_000)]


def read_identity(data: bytes) -> object:
    from medcxr.imaging.dicom_identity import identity_of_file

    return identity_of_file(data)


def read_radiograph(data: bytes) -> None:
    """Read a file as the program does: in the decoding process."""
    from medcxr.imaging.reading import read_image

    image = read_image(data)
    assert image.pixels.dtype == np.float32
    assert 0 <= image.pixels.min() < image.pixels.max() <= 1


def read_results_header(data: bytes) -> None:
    """Read what results repeat of a file's header: nothing comes out that may not be written."""
    from medcxr.imaging.reading import read_header

    header = read_header(data)
    if header is None:
        return
    texts = [value for value in asdict(header).values() if isinstance(value, str)]
    assert all(one.isprintable() and "\\" not in one for one in texts)
    assert all(len(one) <= 64 for one in texts if one not in _names(header))
    assert all(len(group) <= 64 for one in _names(header) for group in one.split("="))


def _names(header: SourceHeader) -> tuple[str, str]:
    return header.patient_name, header.referring_physician


def tables() -> list[bytes]:
    rows = (
        "image_path,labels,absent,patient_id,view,age,cardiothoracic_ratio\n"
        "a.png,Effusion|Pneumonia,Cardiomegaly,7,PA,50,0.45\n"
        'b/c.png,"No Finding",,8,AP,61,0.61\n'
        '"d, e.png",,Effusion,,,,\n'
    )
    return [
        rows.encode(),
        b"\xef\xbb\xbf" + rows.replace("\n", "\r\n").encode(),
        "image_path,labels\nä.png,Effusion\n".encode(),
        b"image_path,Effusion,Pneumonia\na.png,0.25,0.5\nb.png,1,0\n",
    ]


def read_table(data: bytes) -> None:
    from medcxr.core.findings import Finding
    from medcxr.datasets.study_table import LabelPolicy, StudyTable, rows_of

    findings = [finding.value for finding in Finding]
    rows = rows_of(data, "table.csv", required=("image_path",))
    policy = LabelPolicy(complete=bool(len(data) % 2), cardiothoracic_threshold=0.5)
    table = StudyTable.of_rows(rows, findings, root=Path("/nowhere"), policy=policy)
    assert table.labels.shape == (len(rows), len(findings))
    assert len(table.fingerprint()) == 64
    for index in range(min(len(table), 5)):
        with contextlib.suppress(DataError):
            assert table.path(index).is_relative_to("/nowhere")
    again = rows_of(table.as_csv(), "again.csv", required=("image_path",))
    assert StudyTable.of_rows(again, findings, root=Path("/nowhere")).patients == table.patients


def score_tables() -> list[bytes]:
    return [
        b"image_path,Effusion,fold,labels,view,age\na.png,0.25,1,Effusion,PA,50\nb.png,1,2,No Finding,,\n",
        b"image_path,Effusion,error,labels\na.png,0.1,,Effusion\nb.png,,damaged,No Finding\n",
    ]


def read_scores(data: bytes) -> None:
    from medcxr.services.scored_table import CsvFile, join_scores

    table = join_scores(CsvFile(name="scores.csv", data=data))
    assert table.labels.shape == table.probabilities.shape == (len(table), len(table.findings))
    assert 0 <= table.probabilities.min(initial=0) <= table.probabilities.max(initial=1) <= 1


def histories() -> list[bytes]:
    events = [
        {"action": "use", "model": "tiny 1.0.0", "time": "2026-01-01T00:00:00+00:00"},
        {"action": "use", "model": "tiny 1.0.0", "time": "2026-01-02T00:00:00+00:00"},
        {"action": "roll back", "model": "tiny 1.0.0", "time": "2026-01-03T00:00:00+00:00"},
    ]
    return [json.dumps({"events": events}).encode()]


def read_history(data: bytes) -> None:
    from medcxr.registry.registry import ModelRegistry

    models = _folder() / "chosen"
    if not models.is_dir():
        from bundles import tiny_bundle

        tiny_bundle(models / "tiny-1.0.0")
    (models / "history.json").write_bytes(data)
    registry = ModelRegistry(models)
    assert registry.list()
    registry.history()
    registry.roll_back()
    registry.current()


def trainings() -> list[bytes]:
    job = {
        "name": "hybrid",
        "created": "2026-01-01T00:00:00+00:00",
        "data": "/nowhere",
        "table": "manifest.csv",
    }
    events = (
        b'{"event": "started", "time": 1.0, "pid": 1}\n{"event": "opened", "time": 2.0}\n'
        b'{"event": "run", "time": 3.0, "run": "hybrid-1", "folder": "hybrid-1"}\n'
        b'{"event": "step", "time": 4.0, "part": "fold-1", "epoch": 1, "step": 1, "steps": 9}\n'
        b'{"event": "failed", "time": 5.0, "reason": "The disk is full."}\n'
    )
    run = {"created": "2026-01-01", "software": "0.1.0", "config": {"data": {"tables": []}}}
    return [json.dumps(job).encode(), events, json.dumps(run).encode()]


def read_training(data: bytes) -> None:
    """Read a training whose every file holds this, as the pages and the API do."""
    from medcxr.services.held_out import held_out_scores
    from medcxr.services.runs import list_runs, run_figures
    from medcxr.services.training_jobs import count_unreadable_jobs, list_jobs
    from medcxr.services.workspace import Workspace

    workspace = Workspace.open(_folder() / "training")
    job, run = workspace.trainings / "20260101-000000-abcd", workspace.runs / "hybrid-1"
    for folder, names in (
        (job, ("job.json", "record.jsonl", "log.txt")),
        (run, ("run.json", "events.jsonl", "out_of_fold.csv", "bundle/manifest.json")),
    ):
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    assert len(list_runs(workspace)) == len(held_out_scores(workspace)) == 1
    assert run_figures(workspace, "hybrid-1").measurements == ()
    list_jobs(workspace)
    if count_unreadable_jobs(workspace):
        raise DataError("the training cannot be read")


def recipes() -> list[bytes]:
    paths = sorted((ROOT / "configs").rglob("*.toml"))
    return [path.read_bytes() for path in paths if path.name != "archives.toml"][:8]


def read_recipe(data: bytes) -> None:
    from medcxr.learning.config import config_from_plain, load_config

    path = _folder() / "recipe.toml"
    path.write_bytes(data)
    config = load_config(path)
    assert config_from_plain(json.loads(json.dumps(config.as_dict()))) == config


def manifests() -> list[bytes]:
    from bundles import tiny_manifest
    from medcxr.registry.manifest import manifest_to_json
    from medcxr.registry.sealed_text import without_seal
    from medcxr.registry.shipped import default_model

    shipped = default_model() / "manifest.json"
    return [
        manifest_to_json(tiny_manifest()).encode(),
        without_seal(shipped.read_text(encoding="utf-8")).encode(),
    ]


def read_manifest_text(data: bytes) -> None:
    from medcxr.registry.manifest import manifest_from_json
    from medcxr.registry.model_card import model_card

    try:
        text = data.decode()
    except UnicodeDecodeError as error:  # as the bundle does before
        raise ModelError("not UTF-8") from error
    assert model_card(manifest_from_json(text))


def graphs() -> list[bytes]:
    from bundles import tiny_graph

    return [tiny_graph(), tiny_graph(outlined=True)]


def read_bundle(data: bytes) -> None:
    """Open a bundle with this graph, of whose digest its manifest knows, and ask it."""
    from bundles import ORGANS, tiny_manifest
    from medcxr.inference.predictor import Predictor
    from medcxr.registry.bundle import GRAPH_FILE, MANIFEST_FILE, ModelBundle
    from medcxr.registry.manifest import manifest_to_json

    folder = _folder() / "bundle"
    folder.mkdir(exist_ok=True)
    (folder / GRAPH_FILE).write_bytes(data)
    digests = {GRAPH_FILE: hashlib.sha256(data).hexdigest()}
    organs = ORGANS if b"outlines" in data else ()
    manifest = manifest_to_json(replace(tiny_manifest(), files=digests, outlines=organs))
    (folder / MANIFEST_FILE).write_bytes(manifest.encode())
    predictor = Predictor(ModelBundle.open(folder))
    prediction = predictor.predict([_image()])
    assert np.isfinite(prediction.logits).all()


def beside_files() -> list[bytes]:
    shipped = ROOT / "src" / "medcxr" / "models"
    return [path.read_bytes() for path in sorted(shipped.glob("*.json"))]


def read_beside(data: bytes) -> None:
    """Read what is kept of a model's maps and of what its answers hang on."""
    from medcxr.registry.explanations import find_explanations
    from medcxr.registry.importance import find_importance

    models = _folder() / "models"
    models.mkdir(exist_ok=True)
    bundle = _shipped_bundle()
    identity = f"{bundle.manifest.name}-{bundle.manifest.version}"
    (models / f"{identity}.explanations.json").write_bytes(data)
    (models / f"{identity}.importance.json").write_bytes(data)
    tests = _told(lambda: find_explanations(models, bundle))
    importance = _told(lambda: find_importance(models, bundle))
    if isinstance(tests, MedcxrError) and isinstance(importance, MedcxrError):
        raise tests


def _told(find: Callable[[], object]) -> object:
    try:
        return find()
    except MedcxrError as error:
        return error


def analyses() -> list[bytes]:
    from medcxr.storage.analysis_text import analysis_to_text

    return [analysis_to_text(_analysis()).encode()]


def read_analysis(data: bytes) -> None:
    from medcxr.storage.analysis_text import analysis_from_text

    try:
        text = data.decode()
    except UnicodeDecodeError as error:  # a database gives texts
        raise StorageError("not UTF-8") from error
    asdict(analysis_from_text(text))


def api_bodies() -> list[bytes]:
    """Return requests as they come over a connection: the first line, heads and a body."""
    picture = _saved("PNG")
    form = (
        b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + picture + b"\r\n--limit--\r\n"
    )
    return [
        b"POST /v1/analyses?keep=false\ncontent-type: multipart/form-data; boundary=limit\n\n"
        + form,
        (
            b"POST /v1/cases/1/verdicts\ncontent-type: application/json\n\n"
            b'{"verdicts": {"Effusion": "present"}, "comment": "small, left"}'
        ),
        b"GET /v1/cases?urgency=urgent&limit=5&since=2026-01-01T00:00:00Z&label=a\n\n",
        (
            b"POST /v1/models/choose\ncontent-type: application/json\n\n"
            b'{"name": "tiny", "version": "1.0.0"}'
        ),
        b"GET /v1/runs/hybrid-1234\n\n",
        b"DELETE /v1/cases/29\n\n",
        b"GET /v1/cases/1/report.pdf?language=ar\n\n",
    ]


def read_request(data: bytes) -> None:
    """Answer a request; a problem is told as the refusal that it is."""
    status, headers = asyncio.run(_ask(data))
    assert 200 <= status < 600
    assert status != 500, "an unforeseen error"
    assert headers[b"x-content-type-options"] == b"nosniff"
    if status >= 400:
        raise DataError("refused with status {status}", status=status)


async def _ask(data: bytes) -> tuple[int, dict[bytes, bytes]]:
    app, secret = _served()
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    named = (line.partition(b":") for line in lines)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method.decode("latin-1"),
        "scheme": "http",
        "path": path.decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": query,
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"authorization", f"Bearer {secret}".encode()),
            *((name.strip().lower(), value.strip()) for name, _, value in named),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8600),
    }
    sent: list[dict] = []
    pieces = [body[start : start + 65536] for start in range(0, len(body), 65536)] or [b""]

    async def receive():
        if not pieces:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


@cache
def _served():
    from bundles import use_tiny_model
    from medcxr.apps.api.app import create_app
    from medcxr.apps.api.limits import Limits
    from medcxr.core.access import Permission, Role
    from medcxr.services.workspace import Workspace
    from remembering import remember
    from serving import add_user, secret_for

    workspace = Workspace.open(_folder() / "workspace")
    use_tiny_model(workspace)
    add_user(workspace, "Ann", Role.ADMINISTRATOR)
    for number in range(40):
        remember(workspace, number, datetime(2026, 1, 1, tzinfo=UTC))
    often = Limits(token_burst=10**9, failures_burst=10**9)
    return create_app(workspace, limits=often), secret_for(workspace, "Ann", *Permission)


@cache
def _shipped_bundle():
    from medcxr.registry.registry import ModelRegistry

    return ModelRegistry(_folder()).current()


@cache
def _folder() -> Path:
    """Return a folder of this process."""
    _KEPT.append(TemporaryDirectory(prefix="medcxr-fuzz-"))
    return Path(_KEPT[-1].name)


_KEPT: list[TemporaryDirectory] = []


@cache
def _image():
    from medcxr.imaging.reading import read_image

    return read_image(_saved("PNG"))


@cache
def _analysis():
    from bundles import use_tiny_model
    from medcxr.services.analysis import analyze_image
    from medcxr.services.workspace import Workspace

    workspace = Workspace.open(_folder() / "analyzing")
    use_tiny_model(workspace)
    return analyze_image(workspace, _saved("PNG"), gate=False).analysis


TARGETS: tuple[Target, ...] = (
    Target(name="png", share=2.5, seeds=png_files, mutators=mutation.OF_PNG, read=read_radiograph),
    Target(name="jpeg", share=2, seeds=jpeg_files, mutators=mutation.OF_JPEG, read=read_radiograph),
    Target(
        name="dicom", share=4, seeds=dicom_files, mutators=mutation.OF_DICOM, read=read_radiograph
    ),
    Target(
        name="header",
        share=1,
        seeds=dicom_files,
        mutators=mutation.OF_DICOM,
        read=read_results_header,
    ),
    Target(
        name="identity",
        share=1,
        seeds=dicom_files,
        mutators=mutation.OF_DICOM,
        read=read_identity,
    ),
    Target(name="table", share=1.5, seeds=tables, mutators=mutation.OF_TEXT, read=read_table),
    Target(name="scores", share=1, seeds=score_tables, mutators=mutation.OF_TEXT, read=read_scores),
    Target(
        name="history", share=0.5, seeds=histories, mutators=mutation.OF_TEXT, read=read_history
    ),
    Target(
        name="training", share=0.5, seeds=trainings, mutators=mutation.OF_TEXT, read=read_training
    ),
    Target(name="recipe", share=1, seeds=recipes, mutators=mutation.OF_TEXT, read=read_recipe),
    Target(
        name="manifest",
        share=1,
        seeds=manifests,
        mutators=mutation.OF_TEXT,
        read=read_manifest_text,
    ),
    Target(name="bundle", share=1, seeds=graphs, mutators=mutation.OF_GRAPH, read=read_bundle),
    Target(
        name="beside", share=0.5, seeds=beside_files, mutators=mutation.OF_TEXT, read=read_beside
    ),
    Target(name="analysis", share=1, seeds=analyses, mutators=mutation.OF_TEXT, read=read_analysis),
    Target(
        name="request", share=1.5, seeds=api_bodies, mutators=mutation.OF_TEXT, read=read_request
    ),
)
"""Every part; its share of the cases is that of its number among all."""
