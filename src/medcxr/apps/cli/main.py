"""The command line: each command opens a door and prints what it is told.

| exit code | meaning                                                         |
|-----------|-----------------------------------------------------------------|
| 0         | everything was done                                             |
| 1         | everything was done but some images, which could not be used;   |
|           | `doctor` found something broken, `audit verify` a changed trail |
| 2         | nothing was done; the error says why and what to do             |
"""

import sys
from typing import Annotated

import typer

from medcxr import __version__
from medcxr.apps.cli import (
    audit,
    backup,
    cases,
    dataset,
    dicomweb,
    gate,
    keys,
    models,
    node,
    tokens,
    users,
)
from medcxr.apps.cli.analyze import analyze
from medcxr.apps.cli.anatomy_check import anatomy_check
from medcxr.apps.cli.case_map import case_map
from medcxr.apps.cli.clean import clean
from medcxr.apps.cli.compare import compare
from medcxr.apps.cli.dashboard import dashboard
from medcxr.apps.cli.deidentify import deidentify
from medcxr.apps.cli.doctor import doctor
from medcxr.apps.cli.explain_check import explain_check
from medcxr.apps.cli.importance import importance
from medcxr.apps.cli.model_words import NamesModels
from medcxr.apps.cli.performance import performance
from medcxr.apps.cli.predict import predict
from medcxr.apps.cli.sample_data import sample_data
from medcxr.apps.cli.sample_size import sample_size
from medcxr.apps.cli.serve import serve
from medcxr.apps.cli.train import train
from medcxr.apps.cli.validate import validate
from medcxr.apps.cli.watch import watch
from medcxr.apps.cli.words import show_error
from medcxr.core.errors import MedcxrError

__all__ = ["app", "run"]

app = typer.Typer(
    name="medcxr",
    help="Chest X-ray decision support on this computer. Not a diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(analyze)
app.command(cls=NamesModels)(predict)
app.command()(train)
app.command()(compare)
app.command()(performance)
app.command()(validate)
app.command("sample-size")(sample_size)
app.command()(deidentify)
app.command()(clean)
app.command()(dashboard)
app.command()(serve)
app.command()(watch)
app.command()(doctor)
app.command("explain-check")(explain_check)
app.command("case-map")(case_map)
app.command()(importance)
app.command("anatomy-check")(anatomy_check)
app.command("sample-data")(sample_data)
app.add_typer(models.app, name="models")
app.add_typer(cases.app, name="cases")
app.add_typer(tokens.app, name="tokens")
app.add_typer(users.app, name="users")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(backup.app, name="backup")
app.add_typer(gate.app, name="gate")
app.add_typer(dataset.app, name="dataset")
app.add_typer(dicomweb.app, name="dicomweb")
app.add_typer(node.app, name="node")


@app.callback(invoke_without_command=True)
def main(
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Chest X-ray decision support on this computer. Not a diagnosis."""
    if version:
        typer.echo(f"medcxr {__version__}")
        raise typer.Exit


def run() -> None:
    """Run the command line; a foreseen error becomes one line and exit code 2."""
    try:
        app()
    except MedcxrError as error:
        show_error(str(error))
        sys.exit(2)
