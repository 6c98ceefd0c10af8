"""What every figure of the dashboard means, by page; a text that a page shows is taken from there."""

from dataclasses import dataclass

from medcxr.apps.dashboard import performance_words
from medcxr.apps.dashboard.clinical_words import (
    COMPARED,
    OPERATING_POINT_HELP,
    OPERATING_POINTS,
    VERDICT,
)
from medcxr.apps.dashboard.overview_words import URGENCY
from medcxr.apps.dashboard.words import (
    CASE_MAP,
    EXPLANATIONS,
    IMPORTANCE,
    MAP_TESTS,
    MARGIN,
    TRAIN_BESIDE,
    TRAIN_PAIRED,
    ZONES,
)
from medcxr.core.language import Sentence, text

__all__ = ["DOCUMENTS", "INTRODUCTION", "LIMITS", "TOPICS", "Explanation", "Topic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a figure means.

    Attributes:
        name: as the pages call it.
        words: the sentences.
        limits: what it cannot tell; empty where the sentences say so.
    """

    name: str
    words: tuple[str, ...]
    limits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The figures of one page.

    Attributes:
        path: of the page, as in its address.
        title: of the page.
        explanations: in the order in which the page shows the figures.
    """

    path: str
    title: str
    explanations: tuple[Explanation, ...]


def _known(name: str, *further: str, limits: str = "") -> Explanation:
    """Return what "Clinical Analysis" explains below its figures."""
    return Explanation(name=name, words=(EXPLANATIONS[name], *further), limits=limits)


INTRODUCTION = text(
    "What each figure of the dashboard says, by page, and what it cannot tell. The model's own "
    'figures stand on the pages "Performance Analytics" and "Models".'
)

LIMITS = (
    text(
        "Whether this patient has a disease: figures speak of radiographs like those that the model "
        "was measured on, and a single answer may be wrong however good they are."
    ),
    text(
        "What it was not asked: it judges the findings on its card, in frontal views of adults. A "
        "low probability of all of them does not make a radiograph normal."
    ),
    text(
        "Where a disease lies: a map shows what moved the model, and a true map can explain a wrong "
        "answer."
    ),
    text(
        "How well it works where you are: that takes radiographs of your own devices and patients, "
        "with labels that you trust."
    ),
)

_OVERVIEW = Topic(
    path="",
    title=text("Dashboard"),
    explanations=(
        Explanation(
            name=text("Urgency"),
            words=(URGENCY,),
            limits=text("A radiograph that the model got wrong stands too low."),
        ),
        Explanation(name=text("Your verdict"), words=(VERDICT,)),
        _known(text("Seconds")),
    ),
)

_CLINICAL = Topic(
    path="clinical-analysis",
    title=text("Clinical Analysis"),
    explanations=(
        _known(text("Probability")),
        _known(text("Present / Absent")),
        Explanation(
            name=text("Operating point"),
            words=(
                OPERATING_POINT_HELP,
                *(
                    Sentence("{name}: {what}", name=Sentence(name), what=Sentence(what))
                    for name, what in OPERATING_POINTS.values()
                ),
            ),
        ),
        Explanation(name=text("Distance to the threshold"), words=(MARGIN,)),
        _known(
            text("Plausible"),
            text("Where neither is, the radiograph is unlike those that were measured."),
            limits=text(
                "The promise holds over many radiographs and not for each one, and not where "
                "patients or devices are others."
            ),
        ),
        _known(
            text("Cardiothoracic ratio"),
            text(
                "Behind ± stands how far it was off at most in 95 of 100 radiographs that experts "
                "had measured; where the outlines are doubtful, the reason stands there."
            ),
            limits=text("The ratio depends on inspiration, posture and projection as well."),
        ),
        _known(
            text("Lungs"),
            limits=text("An area tells nothing of the depth of a lung, and so not its volume."),
        ),
        _known(text("Costophrenic angles")),
        Explanation(name=text("Beside an earlier radiograph"), words=(COMPARED,)),
    ),
)

_EXPLAINED = Topic(
    path="explainable-ai",
    title=text("Explainable AI"),
    explanations=(
        _known(text("Tested maps")),
        _known(text("Evidence map")),
        _known(text("Occlusion map")),
        _known(text("Joint map")),
        _known(text("Thorough map")),
        Explanation(name=text("Zone"), words=(ZONES,)),
        Explanation(
            name=text("Deletion and insertion"),
            words=(MAP_TESTS,),
            limits=text(
                "They tell whether the answer hangs on the places of the map, and not whether these "
                "are the right places or the answer is right."
            ),
        ),
        Explanation(
            name=text("Strongest place inside"),
            words=(
                text(
                    "Pointing: in how many radiographs with a known place of the finding the map's "
                    "strongest place lies within it, also called the hit rate. Beside it stand by how "
                    "much that is more than an ellipse in the middle and a map by chance reach."
                ),
            ),
            limits=text("To point into a finding is not to outline it."),
        ),
        Explanation(
            name=text("Likeness to the map of shuffled weights"),
            words=(
                text(
                    "How alike the map is to one of the same network with shuffled weights, -1…1. "
                    "Near 0 is good: a map that stays the same shows the image and not what was "
                    "learned."
                ),
            ),
        ),
        _known(
            text("What would change the answer"),
            limits=text(
                "Other places may change it as well, and a radiograph with hidden places is none "
                "that the model knows."
            ),
        ),
        Explanation(name=text("Among other cases"), words=(CASE_MAP,)),
        Explanation(name=text("What answers hang on over many radiographs"), words=(IMPORTANCE,)),
    ),
)

_TRAINING = Topic(
    path="train-model",
    title=text("Train Model"),
    explanations=(
        Explanation(
            name=text("Loss"),
            words=(
                text(
                    "How far the scores are from the labels; training makes it smaller. Where it "
                    "goes on falling in training and rises on held-out patients, the network learns "
                    "by heart."
                ),
            ),
            limits=text("Its size means nothing beside that of another recipe or table."),
        ),
        Explanation(
            name=text("mAP on held-out patients"),
            words=(
                text(
                    "The mean over the findings of the average precision, on patients whom this "
                    "training does not learn from."
                ),
            ),
            limits=text(
                "With few such patients it jumps from epoch to epoch. Where a training may stop early, "
                "these patients choose the epoch, so the figures at the end are measured on others."
            ),
        ),
        Explanation(
            name=text("The new model beside the one in use"), words=(TRAIN_BESIDE, TRAIN_PAIRED)
        ),
    ),
)

_PERFORMANCE = Topic(
    path="performance",
    title=text("Performance Analytics"),
    explanations=(
        _known(
            text("AUC"),
            limits=text("It says nothing of thresholds, nor whether probabilities are right."),
        ),
        _known(text("95% interval")),
        Explanation(name=text("ROC curve"), words=(performance_words.ROC,)),
        Explanation(
            name=text("Precision-recall curve"), words=(performance_words.PRECISION_RECALL,)
        ),
        Explanation(
            name=text("Average precision"),
            words=(text("The area below the precision-recall curve."),),
            limits=text(
                "By chance it is the share of radiographs with the finding, so tables with other "
                "shares cannot be compared by it."
            ),
        ),
        Explanation(
            name=text("Sensitivity"),
            words=(text("Of the radiographs with the finding, the share that is called present."),),
            limits=text("Alone it says little: to call everything present reaches 1."),
        ),
        Explanation(
            name=text("Specificity"),
            words=(text("Of the radiographs without it, the share that is called absent."),),
            limits=text("Alone it says little: to call everything absent reaches 1."),
        ),
        Explanation(
            name=text("PPV and NPV"),
            words=(
                text(
                    "The predictive values: of those called present the share that has the finding, "
                    "and of those called absent the share that does not."
                ),
            ),
            limits=text("They hold for one prevalence and do not carry over to another place."),
        ),
        Explanation(
            name=text("F1"),
            words=(text("The harmonic mean of sensitivity and PPV."),),
            limits=text("It takes no notice of those rightly called absent."),
        ),
        Explanation(
            name=text("Accuracy"),
            words=(text("The share of all radiographs that is called rightly."),),
            limits=text("Where a finding is rare, to call everything absent is accurate as well."),
        ),
        Explanation(name=text("Calibration"), words=(performance_words.CALIBRATION,)),
        Explanation(
            name=text("Calibration error (ECE)"),
            words=(
                text(
                    "By how much the probability and the share that has the finding differ, as a "
                    "mean over ten bins; 0 is right."
                ),
            ),
            limits=text("A model that says the same of every radiograph can have a small one."),
        ),
        Explanation(
            name=text("Brier score"),
            words=(
                text("The mean squared distance between probability and truth; lower is better."),
            ),
            limits=text(
                "It mixes ranking with calibration, and a rare finding alone makes it small."
            ),
        ),
        Explanation(
            name=text("Slope and intercept"),
            words=(
                text(
                    "Right are 1 and 0: with a slope below 1 probabilities are too extreme, with an "
                    "intercept below 0 too high."
                ),
            ),
        ),
        Explanation(name=text("Net benefit"), words=(performance_words.NET_BENEFIT,)),
        Explanation(name=text("Groups"), words=(performance_words.GROUPS,)),
        Explanation(name=text("Folds"), words=(performance_words.FOLDS,)),
        Explanation(
            name=text("Simulated centers"),
            words=(
                performance_words.CENTERS,
                performance_words.COLLECTIONS,
                performance_words.PREVALENCE,
            ),
        ),
        Explanation(name=text("Drift of incoming images"), words=(performance_words.DRIFT,)),
    ),
)

_MODELS = Topic(
    path="models",
    title=text("Models"),
    explanations=(
        Explanation(
            name=text("Coverage of the plausible answers"),
            words=(
                text(
                    "By conformal prediction, on the card: in which share of held-out radiographs, "
                    "with and without the finding, the plausible answers held the right one, beside "
                    "the share that was promised, and how often the model abstained."
                ),
            ),
            limits=text("A promise that is kept by abstaining often helps nobody: look at both."),
        ),
        Explanation(
            name=text("Mean AUC"),
            words=(text("The mean of the AUC over the model's findings."),),
            limits=text("Models that judge other findings or other tables cannot be ranked by it."),
        ),
    ),
)

_ADMINISTRATION = Topic(
    path="administration",
    title=text("Administration"),
    explanations=(
        Explanation(
            name=text("Checks"),
            words=(
                text(
                    "Good needs nothing; attention works, and somebody should look at it; broken "
                    "does not work. Each line says what was found and what to do."
                ),
            ),
            limits=text("They tell whether the program works, not how good the model is."),
        ),
        Explanation(
            name=text("Time of an analysis"),
            words=(
                text(
                    "Of a simulated radiograph, from its file to the result; the first one also "
                    "loads the model."
                ),
            ),
        ),
    ),
)

TOPICS = (_OVERVIEW, _CLINICAL, _EXPLAINED, _TRAINING, _PERFORMANCE, _MODELS, _ADMINISTRATION)
"""In the order of the navigation."""

DOCUMENTS = {
    "docs/user-manual.md": text("What to do, task by task."),
    "docs/troubleshooting.md": text("What each message means and what helps."),
    "docs/validation-study.md": text("How the shipped model was measured, and on whom."),
    "docs/explanations.md": text("How its maps were tested, and what was found."),
    "docs/anatomy.md": text("How its outlines and measures compare with those of experts."),
    "docs/technical-specification.md": text("Formats, limits, files and fields."),
    "SECURITY.md": text("What protects radiographs and the password, and what does not."),
}
"""Files of the program's folder -> what they tell."""
