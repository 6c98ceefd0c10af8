"""Credentials come from a file of their owner's alone."""

import base64
import sys

import pytest

from medcxr.core.errors import DataError
from medcxr.network.credentials import Credentials, read_credentials


def written(tmp_path, words, mode=0o600):
    path = tmp_path / "credentials.toml"
    path.write_text(words)
    path.chmod(mode)
    return path


def test_a_user_or_a_token_is_read(tmp_path):
    basic = read_credentials(written(tmp_path, 'user = "me"\npassword = "p:ä"'))
    assert base64.b64decode(basic.header.removeprefix("Basic ")).decode() == "me:p:ä"
    assert read_credentials(written(tmp_path, 'token = "abc.d-e"')).header == "Bearer abc.d-e"
    assert repr(basic) == "Credentials()"


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o601])
def test_a_file_that_others_may_use_is_refused(tmp_path, mode):
    with pytest.raises(DataError, match="chmod 600") as caught:
        read_credentials(written(tmp_path, 'token = "abc"', mode))
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        "",
        'user = "me"',
        'token = ""',
        "token = 5",
        'token = "a"\nuser = "s3cret"',
        'token = "a b"',
        'token = "a\\nX: y"',
        'token = "ä"',
        'user = "s3cret:x"\npassword = "a"',
        'user = "me"\npassword = "s3cret\\r\\nX: y"',
        "s3cret",
    ],
)
def test_what_holds_no_credentials_is_refused_and_not_repeated(tmp_path, words):
    with pytest.raises(DataError) as caught:
        read_credentials(written(tmp_path, words))
    assert "s3cret" not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_credentials(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_credentials(tmp_path / "none")
    assert Credentials.bearer("x").header == "Bearer x"
