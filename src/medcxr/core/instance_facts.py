"""What a received DICOM instance says of how, where and how urgently it was made."""

from dataclasses import dataclass

__all__ = ["InstanceFacts"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class InstanceFacts:
    """Statements of one header, in capitals and without padding; empty where nothing is stated.

    They decide whether and when an instance is read. Free texts may name a patient, so none of
    them is printed, logged or written down.

    Attributes:
        modality: (0008,0060) Modality.
        body_part: (0018,0015) Body Part Examined.
        view: (0018,5101) View Position, or what (0054,0220) View Code Sequence stands for.
        station: (0008,1010) Station Name.
        study_description: (0008,1030) Study Description.
        descriptions: this one, and those of the series, the protocol and the steps that were
            requested and performed.
        priorities: (0040,1003) Requested Procedure Priority and (0032,000C) Study Priority ID.
        maker: (0008,0070) Manufacturer and (0008,1090) Manufacturer's Model Name, of the device and
            of (0018,A001) Contributing Equipment Sequence.
        age_years: (0010,1010) Patient's Age; None where it is not stated well.
    """

    modality: str = ""
    body_part: str = ""
    view: str = ""
    station: str = ""
    study_description: str = ""
    descriptions: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    maker: tuple[str, ...] = ()
    age_years: float | None = None

    def __repr__(self) -> str:
        """Keep all of it out of logs and tracebacks."""
        return "InstanceFacts(hidden)"
