"""What starts a training: the table, its balance, and the settings."""

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medcxr.apps.dashboard.chart_view import show_chart
from medcxr.apps.dashboard.charts import label_bars
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.apps.dashboard.words import TRAIN_NO_DATA, TRAIN_NO_TABLES, TRAIN_SETTINGS
from medcxr.core.errors import MedcxrError, MissingExtra
from medcxr.core.language import Sentence, figure, say, say_all, text
from medcxr.services.labeled_tables import ClassBalance, find_tables, read_balance
from medcxr.services.training import require_training_libraries
from medcxr.services.training_jobs import TrainingJob, start_training
from medcxr.services.training_settings import (
    BATCH_SIZES,
    EPOCHS,
    FOLDS,
    HEADS,
    LAYERS,
    LEARNING_RATES,
    WIDTHS,
    Architecture,
    Method,
    TrainingSettings,
    find_problems,
)
from medcxr.services.workspace import Workspace

__all__ = ["show_new_training"]

_ARCHITECTURES: dict[Architecture, str] = {
    "hybrid": text("CNN-Transformer, pretrained (as shipped)"),
    "plain": text("CNN-Transformer, plain, from scratch"),
}
_METHODS: dict[Method, str] = {
    "holdout": text("Holdout"),
    "cross_validation": text("Cross-validation"),
}
_DEFAULT = TrainingSettings(name="our-model", table="")
_BALANCE = text("{images:,} radiographs of {patients:,} patients. Views: {views}.")
_BALANCE_WITH_UNNAMED = text(
    "{images:,} radiographs of {patients:,} patients; {unnamed:,} rows name none, and count as one "
    "patient each. Views: {views}."
)
_BALANCE_S = 30.0  # images may be added meanwhile


def show_new_training(workspace: Workspace, data: Path | None, running: TrainingJob | None) -> None:
    """Let a person choose a table and settings, and start a training by them.

    Args:
        workspace: where it is kept.
        data: folder of the tables that whoever runs the dashboard named; None if nobody did.
        running: the training that runs now, beside which none is started.

    Raises:
        MedcxrError: the chosen table is wrong, or the training could not be started.
    """
    try:
        require_training_libraries()
    except MissingExtra as error:
        st.warning(plain(say(error.sentence)))
        return
    if data is None:
        st.info(say(TRAIN_NO_DATA))
        return
    tables = find_tables(data)
    if not tables:
        st.info(say(TRAIN_NO_TABLES))
        return
    table = st.selectbox(
        say("Table"), tables, help=say(TRAIN_SETTINGS["table"]), key="training_table"
    )
    balance, complete = _balanced(data, table)
    _show_balance(balance)
    settings = _settings(table, complete=complete)
    problems = [*balance.problems(), *find_problems(settings)]
    if settings.method == "cross_validation" and balance.n_patients < settings.folds:
        problems.append(
            Sentence(
                "{patients} patients cannot be divided into {folds} folds; choose fewer folds.",
                patients=balance.n_patients,
                folds=settings.folds,
            )
        )
    for problem in problems:
        st.error(plain(say(problem)))
    if running is not None:
        st.info(
            plain(
                say(
                    "The training {name} runs; one at a time uses the whole computer.",
                    name=running.name,
                )
            )
        )
    is_blocked = bool(problems) or running is not None
    if st.button(say("Start the training"), type="primary", disabled=is_blocked):
        try:
            start_training(workspace, data, settings)
        except MedcxrError as error:  # another tab was faster, or the disk is full
            st.error(plain(say(error.sentence)))
            return
        st.rerun()


def _balanced(data: Path, table: str) -> tuple[ClassBalance, bool]:
    """Return the balance of a table, and whether what it does not list is absent."""
    with st.spinner(say("Counting the labels")):
        balance = _balance(str(data), table, complete=True)
    complete = st.toggle(
        say("Findings that a row does not list are absent"),
        value=True,
        help=say(TRAIN_SETTINGS["complete"]),
        key="training_complete_labels",
        disabled=balance.says_what_is_absent,
    )
    if not complete:
        balance = _balance(str(data), table, complete=False)
    return balance, complete


@st.cache_data(show_spinner=False, ttl=_BALANCE_S, max_entries=16)
def _balance(data: str, table: str, *, complete: bool) -> ClassBalance:
    return read_balance(Path(data), table, complete_labels=complete)


def _show_balance(balance: ClassBalance) -> None:
    views = ", ".join(
        say("{view} {n:,}", view=say(view), n=number) for view, number in balance.views.items()
    )
    told = say(
        _BALANCE_WITH_UNNAMED if balance.n_unnamed else _BALANCE,
        images=balance.n_images,
        patients=balance.n_patients,
        unnamed=balance.n_unnamed,
        views=views or say("not told"),
    )
    st.markdown(plain(told))
    left, right = st.columns(2, vertical_alignment="center")
    left.html(
        html_table(
            say_all("Finding", "With it", "Without it", "Unknown", "Share with it"),
            [
                (
                    say(one.finding),
                    figure(one.positive, ","),
                    figure(one.negative, ","),
                    figure(one.unknown, ","),
                    figure(one.positive / max(one.positive + one.negative, 1), ".1%"),
                )
                for one in balance.findings
            ],
        )
    )
    with right:
        show_chart(label_bars(balance.findings), say("Labels: {counts}", counts=told))


def _settings(table: str, *, complete: bool) -> TrainingSettings:
    """Ask for the settings; each is explained beside it."""
    first, second = st.columns(2)
    name = first.text_input(
        say("Name"),
        _DEFAULT.name,
        max_chars=80,
        help=plain(say(TRAIN_SETTINGS["name"])),
        key="training_name",
    )
    architecture = second.selectbox(
        say("Architecture"),
        list(_ARCHITECTURES),
        format_func=lambda one: say(_ARCHITECTURES[one]),
        key="training_architecture",
        help=say(TRAIN_SETTINGS["architecture"]),
    )
    one, two, three = st.columns(3)
    epochs = _number(one, text("Epochs"), "epochs", _DEFAULT.epochs, EPOCHS)
    batch_size = _number(two, text("Batch size"), "batch_size", _DEFAULT.batch_size, BATCH_SIZES)
    learning_rate = three.number_input(
        say("Learning rate"),
        *LEARNING_RATES,
        value=_DEFAULT.learning_rate,
        step=1e-5,
        format="%.6f",
        help=say(TRAIN_SETTINGS["learning_rate"]),
        key="training_learning_rate",
    )
    width = _number(one, text("Transformer width"), "width", _DEFAULT.width, WIDTHS)
    heads = _number(two, text("Attention heads"), "heads", _DEFAULT.heads, HEADS)
    layers = _number(three, text("Layers"), "layers", _DEFAULT.layers, LAYERS)
    method = one.selectbox(
        say("Measured by"),
        list(_METHODS),
        format_func=lambda one: say(_METHODS[one]),
        key="training_method",
        help=say(TRAIN_SETTINGS["method"]),
    )
    folds = _DEFAULT.folds
    if method == "cross_validation":
        folds = _number(two, text("Folds"), "folds", _DEFAULT.folds, FOLDS)
    early_stopping = three.toggle(
        say("Early stopping"),
        value=_DEFAULT.early_stopping,
        help=say(TRAIN_SETTINGS["early_stopping"]),
        key="training_early_stopping",
    )
    return TrainingSettings(
        name=name.strip(),
        table=table,
        architecture=architecture,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=float(learning_rate),
        width=width,
        heads=heads,
        layers=layers,
        early_stopping=early_stopping,
        method=method,
        folds=folds,
        complete_labels=complete,
    )


def _number(
    column: DeltaGenerator,
    label: str,
    name: str,
    value: int,
    bounds: tuple[int, int],
) -> int:
    asked = column.number_input(
        say(label),
        *bounds,
        value=value,
        step=1,
        help=say(TRAIN_SETTINGS[name]),
        key=f"training_{name}",
    )
    return int(asked)
