"""What every object tells: an analysis, of which radiograph, when and in which language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from medcxr import __version__
from medcxr.core.language import language, say
from medcxr.core.result_objects import ResultKind
from medcxr.core.results import Analysis
from medcxr.core.sentences import DISCLAIMER, NO_OUTLINES, NOT_A_DIAGNOSIS
from medcxr.interchange.uids import uid_of

__all__ = ["MANUFACTURER", "Reported"]

MANUFACTURER = "medcxr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """An analyzed radiograph to be told of.

    Attributes:
        identity: what tells the radiograph from all others: its SOP Instance UID, or the SHA-256
            of its file.
        analysis: the figures.
        made: when the objects are made, with its time zone.
    """

    identity: str
    analysis: Analysis
    made: datetime

    @property
    def model_name(self) -> str:
        """Return the name of the model."""
        return self.analysis.model.rpartition(" ")[0] or self.analysis.model

    @property
    def model_version(self) -> str:
        """Return the version of the model."""
        return self.analysis.model.rpartition(" ")[2]

    @property
    def device_uid(self) -> str:
        """Return the UID of the program with this model, wherever it runs."""
        return uid_of("device", __version__, self.analysis.model)

    def uid(self, kind: ResultKind | str, *further: str) -> str:
        """Return the UID of something in this result.

        Args:
            kind: of the object, or what the UID is for.
            further: what tells it from others of its kind, e.g. the language.
        """
        told = (self.analysis.model, self.analysis.operating_point)
        return uid_of(self.identity, *told, str(kind), *further)

    def series_uid(self, kind: ResultKind) -> str:
        """Return the UID of the series of one kind, which is the same in each language."""
        return self.uid("series", kind)

    @property
    def statement(self) -> str:
        """Return what the result is and is not, and what it lacks, in the language in use."""
        lacking = [say(NO_OUTLINES)] if self.analysis.anatomy is None else []
        return " ".join([say(NOT_A_DIAGNOSIS), say(DISCLAIMER), *lacking])

    @property
    def warnings(self) -> Sequence[str]:
        """Return the warnings of the analysis and what is doubted of its measures, in words."""
        doubts = () if self.analysis.anatomy is None else self.analysis.anatomy.doubts
        told = [say(warning) for warning in self.analysis.warnings]
        return [
            *told,
            *(say("The measures are not to be trusted: {doubt}.", doubt=say(d)) for d in doubts),
        ]

    @property
    def language(self) -> str:
        """Return the code of the language in use."""
        return language()
