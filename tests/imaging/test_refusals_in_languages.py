"""Why an image is refused crosses from the decoding process, and is told in the reader's language."""

import io

import pytest
from PIL import Image

from medcxr.core.errors import ImageError
from medcxr.core.language import say, speaking
from medcxr.imaging.decoded import receive
from medcxr.imaging.reading import read_image


def test_a_refusal_by_the_decoder_can_be_said_with_its_values():
    file = io.BytesIO()
    Image.linear_gradient("L").resize((70, 20)).save(file, "PNG")
    with pytest.raises(ImageError, match="20 x 70 pixels") as refused:
        read_image(file.getvalue())
    with speaking("de"):
        told = say(refused.value.sentence)
    assert told.startswith("Das Bild hat 20 x 70 Pixel")


def test_a_refusal_that_no_decoder_wrote_counts_as_none():
    written = b'{"refusal": ["{a.__class__}", {"a": 1}]}\n'
    with pytest.raises(EOFError):
        receive(io.BytesIO(written))
