"""Two models beside each other: paired on the same radiographs where both kept scores."""

import hashlib
import shlex
from collections.abc import Sequence

import streamlit as st

from medcxr.apps.dashboard.chart_view import show_chart
from medcxr.apps.dashboard.measured_view import told
from medcxr.apps.dashboard.named_charts import forest_chart
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.refusal_view import why_not
from medcxr.apps.dashboard.score_source import uploaded_csv
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.language import figure, say, say_all, text
from medcxr.core.settings import Settings
from medcxr.registry.manifest import Manifest
from medcxr.registry.registry import ModelEntry, ModelRegistry
from medcxr.services.comparison import ScoreComparison, compare_files
from medcxr.services.held_out import HeldOutScores, held_out_scores
from medcxr.services.scored_table import CsvFile, read_csv_file
from medcxr.services.workspace import Workspace

__all__ = ["show_comparison"]

_KEY = "model_comparison"
_UNPAIRED = text(
    "Each model's own measurement. Where tables or folds differ, so do the radiographs: overlapping "
    "intervals do not say that two models are equal, nor disjoint ones that one is better."
)
_PAIRED = text(
    "Paired: both runs scored the same radiographs, each by networks that had not learned from their "
    "patients; the interval of the difference draws patients, and one that holds 0 decides nothing."
)


def show_comparison(
    workspace: Workspace, registry: ModelRegistry, entries: Sequence[ModelEntry]
) -> None:
    """Ask for two models and show their figures beside each other.

    Args:
        workspace: whose runs may have kept scores.
        registry: the models.
        entries: those that can be used.
    """
    if len(entries) < 2:
        st.info(
            say("There is only one model that can be used; train another one to compare it with.")
        )
        return
    left, right = st.columns(2)

    def name(number: int) -> str:
        return entries[number].identity

    in_use = next((number for number, one in enumerate(entries) if one.is_current), 0)
    first = left.selectbox(
        say("First model"),
        range(len(entries)),
        index=in_use,
        format_func=name,
    )
    second = right.selectbox(
        say("Second model"),
        range(len(entries)),
        index=1 if in_use == 0 else 0,
        format_func=name,
    )
    if first == second:
        st.info(say("Choose two different models."))
        return
    try:
        pair = [registry.get(entries[number].identity).manifest for number in (first, second)]
        _show_unpaired(entries[first], entries[second])
        _show_outlined(pair[0], pair[1])
        _show_paired(workspace, pair[0], pair[1])
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))


def _show_unpaired(first: ModelEntry, second: ModelEntry) -> None:
    findings = list(dict.fromkeys([*first.aucs, *second.aucs]))
    st.html(
        html_table(
            (say("Finding"), first.identity, second.identity),
            [
                *((say(name), told(first.aucs.get(name)), told(second.aucs.get(name)))
                  for name in findings),
                (say("Mean"), told(first.mean_auc), told(second.mean_auc)),
            ],
            caption=say("AUC (95% interval)"),
        )
    )  # fmt: skip
    st.caption(say(_UNPAIRED))


def _show_outlined(first: Manifest, second: Manifest) -> None:
    heads = (say("Model"), first.identity, second.identity)
    told = [", ".join(map(say, one.outlines)) or say("none") for one in (first, second)]
    st.html(html_table(heads, [(say("Organs outlined and measured"), *told)]))


def _show_paired(workspace: Workspace, first: Manifest, second: Manifest) -> None:
    st.subheader(say("On the same radiographs"), anchor=False)
    reason = why_not(workspace, Permission.MEASURE_MODELS)
    if reason is not None:
        st.caption(reason)
        return
    runs = {one.run: one for one in held_out_scores(workspace)}
    scores = [runs.get(one.training.run) if one.training else None for one in (first, second)]
    if scores[0] is None or scores[1] is None:
        missing = first if scores[0] is None else second
        st.info(
            plain(
                say(
                    "The run of {model} left no scores in this workspace, so the two cannot be "
                    "paired.",
                    model=missing.identity,
                )
            )
        )
        return
    uploaded = uploaded_csv(
        say("Labels of both runs' table (CSV, may be left out)"), "labels_of_both"
    )
    labels = uploaded or _labels(scores[0])
    if labels is None:
        st.info(
            say(
                "Add the table of labels that both runs were measured on, or start the dashboard "
                "with `medcxr dashboard --cases TABLE`."
            )
        )
        return
    compared = _compared(scores[0], scores[1], labels)
    if compared is None:
        return
    _show_differences(compared, first, second)
    words = [
        *(f"WORKSPACE/runs/{one.run}/{one.path.name}" for one in (scores[0], scores[1])),
        *("--labels", labels.name),
    ]
    st.caption(
        plain(
            say(
                "{first} less {second}, labels of {labels}; 95% intervals of {resamples:,} resamples "
                "of patients. Repeat: {command}",
                first=first.identity,
                second=second.identity,
                labels=labels.name,
                resamples=2000,
                command=f"medcxr compare {shlex.join(words)}",
            )
        )
    )


def _labels(run: HeldOutScores) -> CsvFile | None:
    path = run.labels or Settings.from_environment().cases
    return read_csv_file(path) if path is not None else None


def _compared(
    first: HeldOutScores, second: HeldOutScores, labels: CsvFile
) -> ScoreComparison | None:
    """Compare when the button is pressed; the last result is kept in this tab."""
    files = (read_csv_file(first.path), read_csv_file(second.path), labels)
    parts = [first.run, second.run, *(one.data for one in files)]
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    known: tuple[str, ScoreComparison] | None = st.session_state.get(_KEY)
    if known is None or known[0] != digest:
        if not st.button(say("Compare on the same radiographs")):
            return None
        with st.spinner(say("Comparing")):
            known = (digest, compare_files(*files, policy=first.policy))
        st.session_state[_KEY] = known
        st.rerun()  # without the button
    return known[1]


def _show_differences(compared: ScoreComparison, first: Manifest, second: Manifest) -> None:
    st.markdown(say(_PAIRED))
    differences = {say(name): one.difference for name, one in compared.findings.items()}
    if compared.mean_difference is not None:
        differences[say("Mean")] = compared.mean_difference
    if not differences:
        st.info(say("No finding is both present and absent among the shared radiographs."))
        return
    show_chart(
        forest_chart(differences, say("Difference of the AUC, first less second"), whole=0.0),
        "; ".join(f"{name}: {one.told_signed()}" for name, one in differences.items()),
    )
    rows = [
        (
            say(name),
            say("{n:,} of {patients:,} patients", n=one.n_images, patients=one.n_patients),
            figure(one.n_positive, ","),
            figure(one.first, ".3f"),
            figure(one.second, ".3f"),
            one.difference.told_signed(),
            figure(one.p_bootstrap, ".3f"),
            figure(one.p_delong, ".3f"),
        )
        for name, one in compared.findings.items()
    ]
    heads = (
        *say_all("Finding", "Radiographs", "With it"),
        *(first.identity, second.identity),
        *say_all("Difference (95%)", "p", "p, DeLong"),
    )
    st.html(html_table(heads, rows))
