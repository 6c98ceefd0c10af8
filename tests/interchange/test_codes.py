"""Codes are those of public dictionaries, and identifiers stay what they are."""

import re

import pytest
from pydicom.sr._concepts_dict import concepts

from medcxr.core.findings import Finding
from medcxr.interchange import codes
from medcxr.interchange.codes import PRIVATE_SCHEME, Code, code_of, site_of
from medcxr.interchange.uids import uid_of

OF_OTHERS = {  # in SNOMED CT, yet in none of DICOM's context groups; ADR 0031
    "233604007": "Pneumonia",
    "8186001": "Cardiomegaly",
    "281900007": "No abnormality detected",
}


def every_code():
    organs = [part for pair in codes.ORGANS.values() for part in pair if part is not None]
    named = [value for value in vars(codes).values() if isinstance(value, Code)]
    told = [code_of(finding) for finding in Finding] + [site_of(finding) for finding in Finding]
    return sorted({*organs, *named, *told}, key=lambda code: (code.scheme, code.value))


def known_meanings(code):
    """Return what pydicom's copy of DICOM's dictionaries says that a code means."""
    return {
        told[code.value][0].lower().removesuffix(" (procedure)")
        for told in concepts.get(code.scheme, {}).values()
        if code.value in told
    }


@pytest.mark.parametrize("code", every_code(), ids=lambda code: code.meaning)
def test_every_public_code_means_what_it_is_used_for(code):
    if code.scheme == PRIVATE_SCHEME:
        assert known_meanings(code) == set()
    elif code.value in OF_OTHERS:
        assert (code.scheme, code.meaning) == ("SCT", OF_OTHERS[code.value])
    elif code.scheme == "UCUM":
        assert code.value in ("1", "%", "cm2", "deg")
    else:
        assert code.meaning.lower() in known_meanings(code)
    assert len(code.value) <= 16
    assert len(code.meaning) <= 64


def test_a_finding_that_nobody_knows_has_a_private_code():
    code = code_of("Größe " * 20)
    assert code.scheme == PRIVATE_SCHEME
    assert re.fullmatch(r"[A-Z0-9_]{1,16}", code.value)
    assert len(code.meaning) <= 64


def test_findings_that_nobody_knows_are_told_apart():
    names = [
        "Pulmonary nodule left",
        "Pulmonary nodule right",
        "Größe",
        "Grüße",
        "Mass",
        "A-B",
        "A B",
    ]
    codes = [code_of(name) for name in names]
    assert len({code.value for code in codes}) == len(names)
    assert all(len(code.value) <= 16 for code in codes)
    assert codes[4].value == "MASS"


def test_an_identifier_is_the_same_for_ever():
    """An archive holds what was sent last year; a changed rule would file it twice."""
    assert uid_of("1.2.3", "tiny 1.0.0", "youden") == (
        "2.25.201994276480818832814738411854106704865"
    )
    assert uid_of("a", "bc") != uid_of("ab", "c")
    assert all(
        re.fullmatch(r"2\.25\.[1-9]\d{0,38}", uid_of("a", str(number))) for number in range(100)
    )
