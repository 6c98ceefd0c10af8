"""Ages in bands."""

import pytest

from medcxr.datasets.age import age_band


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("17", "under 18"),
        ("18", "18 to 39"),
        ("039Y", "18 to 39"),
        ("40", "40 to 59"),
        ("60", "60 and over"),
        ("120", "60 and over"),
        ("414", "unknown"),
        ("9" * 5000, "unknown"),
        ("9" * 500 + "D", "unknown"),
        ("018M", "under 18"),
        ("300M", "18 to 39"),
        ("003W", "under 18"),
        ("010D", "under 18"),
        ("", "unknown"),
        ("Y", "unknown"),
        ("young", "unknown"),
        ("-3", "unknown"),
        ("57.5", "unknown"),
        ("²", "unknown"),
    ],
)
def test_every_text_has_its_band(text, band):
    assert age_band(text) == band
