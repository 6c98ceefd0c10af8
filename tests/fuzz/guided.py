"""Let atheris look for input that reaches new lines of one part's code; for its Python readers.

    pip install atheris==3.0.0         35 MB, Linux, not among the extras
    python -m fuzz.guided recipe -max_total_time=300      from the folder tests

What follows the part's name goes to libFuzzer. It stops at the first error that is no refusal and
leaves the input in a file. It sees no C code, so images are better damaged by `fuzz.run`.
"""

import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

from fuzz.targets import TARGETS, Target
from medcxr.core.errors import MedcxrError

_INSTRUMENTED = ["medcxr", "tomllib", "csv", "json", "cattrs"]


def main() -> None:
    target = next(one for one in TARGETS if one.name == sys.argv[1])
    # Modules are imported when a part first reads, and must be so under instrumentation.
    with atheris.instrument_imports(include=_INSTRUMENTED):
        for seed in target.seeds():
            _read(target, seed)
    with TemporaryDirectory() as corpus:
        for number, seed in enumerate(target.seeds()):
            Path(corpus, str(number)).write_bytes(seed)

        def read(data: bytes) -> None:
            _read(target, data)

        atheris.Setup([sys.argv[0], *sys.argv[2:], corpus], read)
        atheris.Fuzz()


def _read(target: Target, data: bytes) -> None:
    with suppress(MedcxrError):
        target.read(data)


if __name__ == "__main__":
    main()
