"""The documents are true where a program can tell: links, commands, versions, words."""

import ast
import importlib.util
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import pytest
from PIL import Image
from typer.main import get_command

from bundles import map_tests, tiny_bundle
from medcxr import __version__
from medcxr.apps.cli.main import app
from medcxr.core.results import Estimate
from medcxr.explain.report import RandomizedFigures
from medcxr.registry.explanations import explanations_from_plain, find_explanations
from medcxr.registry.registry import ModelRegistry
from medcxr.registry.shipped import shipped_manifests

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CITED = [*DOCUMENTS, ROOT / "CITATION.cff"]
EXPECTED = {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"}

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_INLINE_CODE = re.compile(r"`([^`\n]+)`")
_ABSOLUTE_PATH = re.compile(r"(?<![\w.~<:/)\]}-])/(?!v1/)[\w.-]+/[\w.-]+|\b[A-Z]:\\")
_DIAGNOSIS = re.compile(r"diagnos(?!tics\b)", re.IGNORECASE)
_NEGATION = re.compile(r"\b(not|no|never|nor)\b", re.IGNORECASE)
_MEASURED = re.compile(
    r"\b(?:AUC|mAP|sensitivity|specificity|accuracy|F1|precision)\b[^.|]{0,40}"
    r"(?:(?<!\d)0?\.\d|\b\d+(?:\.\d+)? ?%(?! intervals?))",
    re.IGNORECASE,
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose_of(text: str) -> str:
    """Return a document without its code blocks."""
    return _FENCE.sub("", text)


def blocks_of(text: str, language: str) -> Iterator[str]:
    return (code for found, code in _FENCE.findall(text) if found == language)


def commands_of(text: str, program: str) -> Iterator[list[str]]:
    """Yield the words after a program's name, for each of its lines in the shell blocks."""
    start = shlex.split(program)
    for block in blocks_of(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[: len(start)] == start:
                yield words[len(start) :]


def anchors_of(text: str) -> set[str]:
    """Return the names of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose_of(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def program():
    """Return the tree of medcxr's commands."""
    return get_command(app)


def parse(words: list[str]) -> None:
    """Parse a command line of medcxr without running it."""
    command, name = program(), "medcxr"
    rest = list(words)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        name = rest.pop(0)
        command = command.commands[name]
    if "--help" not in rest:
        command.make_context(name, rest)


@cache
def manage():
    spec = importlib.util.spec_from_file_location("manage_of_documents", ROOT / "manage.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_citation(text: str) -> dict[str, object]:
    """Read the part of YAML that CITATION.cff keeps to: keys, quoted text, lists of either."""
    read: dict[str, object] = {}
    for line in text.splitlines():
        match = re.fullmatch(r'(?:([\w-]+):|  - (?:([\w-]+): )?) ?(".*")?', line)
        assert match is not None, f"CITATION.cff: {line!r} is none of the forms in use"
        key, name, value = match[1], match[2], match[3] and json.loads(match[3])
        if key is not None:
            assert key not in read, f"CITATION.cff: {key} is there twice"
            read[key] = value if value is not None else []
        else:
            read[list(read)[-1]].append({name: value} if name else value)
    return read


def wrong_words(text: str) -> list[str]:
    """Return paths of a machine, outputs called a diagnosis, and figures of accuracy.

    Diagnostics, as on the menu of manage.py, are those of the computer.
    """
    sentences = re.split(r"[.:;]\s|\n\n", text)
    diagnoses = [s for s in sentences if _DIAGNOSIS.search(s) and not _NEGATION.search(s)]
    figures = _MEASURED.findall(" ".join(text.split()))
    return [*_ABSOLUTE_PATH.findall(text), *diagnoses, *figures]


def load_script(monkeypatch, name):
    """Return a script of the documents as a module; scripts import each other."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_explanations_is_that_of_its_record_and_of_the_shipped_model(
    monkeypatch, tmp_path
):
    module = load_script(monkeypatch, "make_explanations")
    report = json.loads(module.RECORD.read_text(encoding="utf-8"))

    further = module.further_reports()
    assert module.PAGE.read_text(encoding="utf-8") == module.page(report, further)
    assert report["model"] == ModelRegistry(tmp_path).current().manifest.identity
    for one in further:
        bundle = ModelRegistry(tmp_path).get(one["model"])
        assert find_explanations(tmp_path, bundle) == explanations_from_plain(one)
    words = next(commands_of(module.PAGE.read_text(encoding="utf-8"), "medcxr explain-check"))
    assert words == shlex.split(module.COMMAND)[2:]
    changed = json.loads(json.dumps(report))
    changed["places"][0]["hits"]["value"] = 0.123
    assert module.page(changed) != module.page(report)


def test_what_ships_beside_the_model_is_the_record_of_the_page(monkeypatch, tmp_path):
    module = load_script(monkeypatch, "make_explanations")
    report = json.loads(module.RECORD.read_text(encoding="utf-8"))

    shipped = find_explanations(tmp_path, ModelRegistry(tmp_path).current())

    if "graph" in report:
        assert shipped == explanations_from_plain(report)
    else:  # measured before maps were compared pair by pair: nothing may rest on it
        assert shipped is None


def test_the_page_tells_gains_verdicts_and_shuffled_weights(monkeypatch, tmp_path):
    module = load_script(monkeypatch, "make_explanations")
    report = map_tests(tiny_bundle(tmp_path / "tiny"), occlusion=("Effusion",))
    likeness = RandomizedFigures(
        finding="Effusion",
        method="occlusion map",
        n_images=10,
        correlation=Estimate(value=0.07, low=-0.1, high=0.2),
    )

    page = module.page(json.loads(json.dumps(asdict(replace(report, randomized=(likeness,))))))

    assert "- Effusion: the occlusion map is shown." in page
    assert "- Pneumonia: no map is shown." in page
    assert "| Effusion | occlusion map | random map | 0.10 (0.08 to 0.12) |" in page
    assert "| Effusion | occlusion map | 10 | 0.07 (-0.10 to 0.20) |" in page
    other = json.loads(json.dumps(asdict(replace(report, model="quick 1.0.0"))))
    both = module.page(other, [other])
    assert "## The maps of quick" in both
    assert both.count("- Effusion: the occlusion map is shown.") == 2


def test_the_page_of_measures_is_that_of_its_record_and_of_the_shipped_model(monkeypatch, tmp_path):
    module = load_script(monkeypatch, "make_anatomy")
    report = json.loads(module.RECORD.read_text(encoding="utf-8"))

    ratios = json.loads(module.RATIOS.read_text(encoding="utf-8"))

    assert module.PAGE.read_text(encoding="utf-8") == module.page(report, ratios)
    manifest = ModelRegistry(tmp_path).current().manifest
    assert report["model"] == manifest.identity
    assert ratios["run"] == manifest.training.run
    drawn = {one["table"]: one for one in ratios["rows"] if one["by_experts"] == "drawn"}
    whole = report["cross_validated"]  # of the same outlines and masks
    for figures, row in (
        (whole, drawn["all"]),
        *((f, drawn.get(t)) for t, f in whole["by_table"].items()),
    ):
        if row is not None:
            assert row["n"] == figures["n_ratios"]
            assert row["error"]["value"] == pytest.approx(figures["ratio_error"], abs=1e-4)
            assert row["agreement"]["value"] == pytest.approx(figures["ratio_icc"], abs=1e-4)
    changed = json.loads(json.dumps(ratios))
    changed["rows"][0]["n"] += 1
    assert module.page(report, changed) != module.page(report, ratios)
    words = next(commands_of(module.PAGE.read_text(encoding="utf-8"), "medcxr anatomy-check"))
    assert words == shlex.split(module.COMMAND)[2:]
    for part in ("rankings", "agreements"):
        changed = json.loads(json.dumps(report))
        changed[part][0]["n_images"] += 1
        assert module.page(changed, ratios) != module.page(report, ratios)


def test_the_page_of_speed_is_that_of_its_records_and_of_the_shipped_model(monkeypatch, tmp_path):
    module = load_script(monkeypatch, "make_speed")
    report, precision = (json.loads(p.read_text()) for p in (module.RECORD, module.PRECISION))

    assert module.main(["--check"]) == 0
    assert report["model"] == ModelRegistry(tmp_path).current().manifest.identity
    shipped = {manifest.identity for manifest in shipped_manifests()}
    assert set(report.get("further", [])) <= shipped
    assert precision["model"] == report["model"]
    for path in (("graphs", 0, "images_per_second"), ("path", 0, "images_per_second")):
        changed = json.loads(json.dumps(report))
        changed[path[0]][path[1]][path[2]] += 100
        assert module.page(changed, precision) != module.page(report, precision)
    for low, words in (
        (0.5, "**That is not reached.**"),
        (module.ASKED_TIMES, "**That is reached.**"),
    ):
        changed = json.loads(json.dumps(report))
        for one in changed["graphs"]:
            one["of_processor"]["low"] = low
        assert words in module.page(changed, precision)


def test_the_page_of_speed_says_which_model_reaches_what_was_asked_for(monkeypatch):
    module = load_script(monkeypatch, "make_speed")
    report, precision = (json.loads(p.read_text()) for p in (module.RECORD, module.PRECISION))
    named = "whole look, "
    own = ("DenseNet", "quick look", named)
    graphs = [one for one in report["graphs"] if one["what"].startswith(own)]
    graphs = [one for one in graphs if not one["what"].endswith(("alone", "torch"))]
    rows = [one for one in graphs if one["what"].startswith(named)]
    fast = {"value": 5.0, "low": module.ASKED_TIMES, "high": 6.0, "n": 20}
    graphs += [
        one | {"what": one["what"].replace(named, "quick-1, "), "of_processor": fast}
        for one in rows
    ]
    path = [one for one in report["path"] if one.get("model", report["model"]) == report["model"]]
    path = [one | {"model": report["model"]} for one in path]
    path += [one | {"model": "quick-1 2.0.0", "images_per_second": 20.0} for one in path]
    further = {"further": ["quick-1 2.0.0"], "networks": 5, "graphs": graphs, "path": path}

    page = module.page(report | further, precision)
    told = " ".join(page.split())

    assert "**That is reached by quick-1, and not by hybrid-lite0.**" in told
    assert "and quick-1 5.00 (4.00 to 6.00) times;" in told
    assert "6 of 6 sorts of files with quick-1" in told
    assert "--weights" not in module.command(report | further)
    assert "| recipe 1 |" not in page
    assert "| quick-1, OpenVINO | 1 | 1 |" in page
    assert "another model, with other scores: quick-1" in told


def test_the_page_of_experiments_is_that_of_its_records(monkeypatch):
    module = load_script(monkeypatch, "make_experiments")
    records = module.load_records()

    assert records
    assert module.PAGE.read_text(encoding="utf-8") == module.page(records)
    changed = json.loads(json.dumps(records))
    next(iter(changed[0]["parts"].values()))["auc"]["Effusion"] = 0.123
    assert module.PAGE.read_text(encoding="utf-8") != module.page(changed)


def test_the_study_is_that_of_the_shipped_model_and_of_the_records(monkeypatch, tmp_path):
    module = load_script(monkeypatch, "make_validation_study")
    sources = module.load_sources()
    page = module.PAGE.read_text(encoding="utf-8")

    assert page == module.page(sources)
    assert ModelRegistry(tmp_path).current().manifest.identity in page
    for command in commands_of(page, "medcxr"):
        parse(command)


@pytest.mark.parametrize("part", ["manifest", "gate", "anatomy", "explanations", "runs", "peer"])
def test_every_source_of_the_study_decides_what_it_says(monkeypatch, part):
    module = load_script(monkeypatch, "make_validation_study")
    sources = module.load_sources()
    changed = json.loads(json.dumps(sources._asdict()))
    run = sources.manifest["training"]["run"]
    record = next(one for one in changed["runs"] if one["run"] == run)
    figure = {
        "manifest": changed["manifest"]["measurements"][0]["report"]["findings"][0]["auc"],
        "gate": changed["gate"]["measured"][0],
        "anatomy": changed["anatomy"]["rankings"][0]["auc"],
        "explanations": changed["explanations"]["places"][-1]["hits"],
        "runs": record["whole"][0]["differences"]["Mean"],
        "peer": changed["peer"]["findings"]["Effusion"]["difference"],
    }
    figure[part]["low"] = 0.123

    assert module.page(module.Sources(**changed)) != module.page(sources)


def test_the_study_of_another_model_says_what_is_missing(monkeypatch):
    module = load_script(monkeypatch, "make_validation_study")
    sources = module.load_sources()
    bare = sources.manifest | {"version": "other", "measurements": [], "outline_figures": None}
    bare["training"] = bare["training"] | {"run": "other"}

    page = module.page(sources._replace(manifest=bare, peer=None))

    assert "Not measured: do not rely on this model." in page
    assert "not of the shipped model: to be measured anew" in page
    assert "Not recorded for this run." in page


def test_the_specification_is_that_of_the_shipped_model_and_of_the_code(monkeypatch):
    module = load_script(monkeypatch, "make_technical_specification")
    text, manifest = text_of(module.PAGE), module.shipped_manifest()

    assert text == module.page(text, manifest)
    assert set(re.findall(r"<!-- begin ([\w-]+) -->", text)) == set(module.BLOCKS)
    assert module.page(text, manifest | {"created": "another day"}) != text


def test_the_specification_tells_models_beside_each_other(monkeypatch):
    module = load_script(monkeypatch, "make_technical_specification")
    careful = module.shipped_manifest()
    plain = careful["training"] | {"config": careful["training"]["config"] | {"companion": None}}
    plain["config"] = plain["config"] | {
        "further_companions": [],
        "evaluation": {"ship": "refit", "folds": 5},
    }
    other = careful | {"name": "quick", "outlines": [], "quick_look": None, "training": plain}

    told = module.beside([careful, other])

    assert "| Answers by itself | yes | no |" in told
    assert "| Organs outlined and measured | right lung, left lung, heart | none |" in told
    assert f"| Networks asked | {careful['quick_look']['of']} | 1 |" in told
    figures = careful["measurements"][0]["report"]["findings"][0]
    assert told.count(f"| AUC, {figures['finding']} | {figures['auc']['value']:.3f} (") == 1


def test_the_shipped_graph_takes_and_gives_what_the_specification_says(monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime")
    module = load_script(monkeypatch, "make_technical_specification")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    graph = str(module.shipped_folder() / "model.onnx")

    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    (image,) = session.get_inputs()
    told = dict(re.findall(r"^\| \w+ \| `(\w+)` \| ([^|]+) \|", text_of(module.PAGE), re.MULTILINE))
    sides = {one.name: one.shape for one in [image, *session.get_outputs()]}
    assert told["image"] == " x ".join(map(str, sides["image"]))
    assert told["logits"] == " x ".join(map(str, sides["logits"]))
    assert told["maps"] == " x ".join(map(str, sides["maps"]))
    chosen = [one.name for one in session.get_overridable_initializers()]
    assert ("whole" in told) == ("whole" in chosen)
    assert ("outlines" in told) == ("outlines" in sides)


def test_the_transfer_syntaxes_of_the_specification_are_those_that_are_read():
    from medcxr.imaging import dicom_frame

    text = text_of(ROOT / "docs" / "technical-specification.md")
    rows = text.partition("| Transfer syntax | Decoder |")[2].partition("\n\n")[0]
    named = {"": "pydicom", "pillow": "Pillow", "gdcm": "GDCM"}

    decoders = {named.get(plugin, plugin) for plugin in dicom_frame._DECODERS.values()}
    assert all(decoder in rows for decoder in decoders)


def test_constants_that_the_specification_tells_in_words_are_those_of_the_code():
    from medcxr.anatomy import measuring, words
    from medcxr.imaging import grayscale, raster
    from medcxr.learning import outputs

    text = " ".join(text_of(ROOT / "docs" / "technical-specification.md").split())

    assert f"from {words.BLUNT_DEGREES:.0f} degrees on" in text
    assert f"more than {grayscale.MAX_MEAN_CHROMA} between" in text
    assert f"at most {raster._MAX_SCANS} scans" in text
    assert f"at least {outputs._ENOUGH_TO_BEND} examples" in text
    assert f"at least {outputs._ENOUGH_BEYOND} logits" in text
    assert f"below {outputs.MINIMUM_PER_CLASS} examples" in text
    assert f"less than {measuring._LEAST_HEART} or more than {measuring._MOST_HEART} of" in text
    low, high = measuring._PLAUSIBLE_RATIOS
    assert f"outside {low} to {high}" in text


def sentences_of(path: Path) -> Iterator[str]:
    """Yield the texts of a program, with "…" in the place of what is filled in."""
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "…" for one in node.values]
            yield "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{[^{}]*\}", "…", node.value)


@cache
def sentences() -> str:
    programs = [ROOT / "manage.py", *sorted((ROOT / "src").rglob("*.py"))]
    return "\n".join(text for program in programs for text in sentences_of(program))


def quoted_messages() -> list[str]:
    rows = text_of(ROOT / "docs" / "troubleshooting.md").splitlines()
    return [row.split("`")[1] for row in rows if row.startswith("| `")]


@pytest.mark.parametrize("message", quoted_messages())
def test_every_message_quoted_in_troubleshooting_is_one_of_the_program(message: str):
    # what a message ends with may be a sentence of its own, filled in
    assert message.removesuffix("; …").removesuffix(" …") in sentences()


def test_a_message_that_no_program_gives_is_noticed():
    assert len(quoted_messages()) > 50
    assert "The file is too beautiful; send another." not in sentences()


def test_the_documents_are_there():
    assert EXPECTED - {path.name for path in DOCUMENTS} == set()
    assert len([path for path in DOCUMENTS if path.parent.name == "adr"]) >= 5


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_and_picture_leads_somewhere(document: Path):
    broken = []
    for target in _LINK.findall(prose_of(text_of(document))):
        place, _, anchor = target.partition("#")
        if "://" in place:
            continue
        path = (document.parent / place).resolve() if place else document
        if not path.exists() or (anchor and anchor not in anchors_of(text_of(path))):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_of_medcxr_parses(document: Path):
    for words in commands_of(text_of(document), "medcxr"):
        parse(words)


def test_every_command_of_medcxr_is_shown_in_the_readme():
    shown = {tuple(words[:2]) for words in commands_of(text_of(ROOT / "README.md"), "medcxr")}
    commands = program().commands
    models = {("models", name) for name in commands["models"].commands}

    assert models <= shown
    assert set(commands) <= {words[0] for words in shown}


@pytest.mark.parametrize("document", CITED, ids=name_of)
def test_every_command_named_in_a_sentence_exists(document: Path):
    group = program()
    for code in _INLINE_CODE.findall(prose_of(text_of(document))):
        words = code.split()
        if words[0] == "medcxr" and len(words) > 1 and not words[1].startswith("-"):
            assert words[1] in group.commands, code
            nested = getattr(group.commands[words[1]], "commands", None)
            assert nested is None or len(words) == 2 or words[2] in nested, code


@pytest.mark.parametrize(
    "words", [["analyse", "x.png"], ["analyze", "x.png", "--heat-map", "y.png"], ["models", "drop"]]
)
def test_a_wrong_command_does_not_parse(words: list[str]):
    with pytest.raises(Exception, match=r"analyse|heat-map|drop"):
        parse(words)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_of_manage_exists(document: Path):
    text = text_of(document)
    inline = [
        code.split()[2:]
        for code in _INLINE_CODE.findall(prose_of(text))
        if code.startswith("python3 manage.py")
    ]
    parser = manage()._parser()
    for words in [*commands_of(text, "python3 manage.py"), *inline]:
        assert not words or words[0] in {*manage().COMMANDS, "test"}
        if words and words[0] != "test" and "--help" not in words:
            parser.parse_args(words)


def test_the_configuration_shown_in_the_readme_is_one(tmp_path: Path):
    from medcxr.learning.config import load_config

    (block,) = blocks_of(text_of(ROOT / "README.md"), "toml")
    path = tmp_path / "shown.toml"
    path.write_text(block, encoding="utf-8")

    assert load_config(path).name == "our-hospital"


@pytest.mark.parametrize("document", CITED, ids=name_of)
def test_no_document_says_what_it_must_not(document: Path):
    assert wrong_words(text_of(document)) == []


@pytest.mark.parametrize(
    "sentence",
    [
        f"It lies in {'/'.join(['', 'home', 'somebody', 'medcxr'])}.",
        "It lies in C:\\data\\medcxr.",
        "It is no toy. It makes a diagnosis in seconds.",
        "It diagnoses pneumonia.",
        "Its mean AUC is 0.91.",
        "An accuracy of\n97 % was measured.",
    ],
)
def test_wrong_words_are_found(sentence: str):
    assert len(wrong_words(sentence)) == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "Its output is not a diagnosis.",
        "It is at ~/.local/share/medcxr and https://example.org/a/b.",
        "AUC and F1 stand there with 95% intervals.",
        "Version 0.1.0 prints the sensitivity.",
        "Programs ask /v1/cases for them.",
    ],
)
def test_allowed_words_are_left_alone(sentence: str):
    assert wrong_words(sentence) == []


def test_the_citation_has_what_the_format_demands():
    citation = read_citation(text_of(ROOT / "CITATION.cff"))

    assert citation["cff-version"] == "1.2.0"
    assert citation["authors"] == [{"name": "The medcxr maintainers"}]
    assert {"message", "title", "license", "type"} <= set(citation)
    assert all(citation.values())


def test_all_documents_state_the_version_of_the_package():
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    changes = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)

    assert read_citation(text_of(ROOT / "CITATION.cff"))["version"] == __version__
    assert changes[0] == __version__
    assert project["version"] == __version__


def test_decisions_are_numbered_without_gaps_and_have_their_three_parts():
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))

    assert [page.name[:4] for page in pages] == [f"{n:04d}" for n in range(1, len(pages) + 1)]
    for page in pages:
        parts = re.findall(r"^## (.+)$", text_of(page), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences"], page.name
        assert text_of(page).startswith(f"# {page.name[:4]}: ")


def test_the_source_package_holds_everything_that_its_checks_need():
    tool = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]
    included = set(tool["hatch"]["build"]["targets"]["sdist"]["include"])
    checked = {*tool["mypy"]["files"], *tool["pytest"]["ini_options"]["testpaths"]}
    read = {"*.md", "CITATION.cff", "configs", "constraints.txt", "docs", "manage.py"}

    assert (checked | read) - included == set()


def test_the_manual_shows_every_page_dark_and_light_in_english_and_arabic():
    paths = app_paths()
    manual = (ROOT / "docs" / "user-manual.md").read_text(encoding="utf-8")
    for page in ("sign-in", "dashboard", *filter(None, paths)):
        for look in ("dark-en", "light-en", "dark-ar", "light-ar"):
            assert f"](images/{page}-{look}.png)" in manual
            with Image.open(ROOT / "docs" / "images" / f"{page}-{look}.png") as picture:
                assert picture.width == 1360
                assert len(picture.convert("L").getcolors(256)) > 20  # no blank page


def app_paths():
    """Return the addresses of the pages as the dashboard lists them, its first one empty."""
    tree = ast.parse((ROOT / "src/medcxr/apps/dashboard/app.py").read_text(encoding="utf-8"))
    return next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "_PATHS"
    )
