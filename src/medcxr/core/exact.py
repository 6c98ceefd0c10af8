"""Read plain values as what they are: 1 is not true, and "7" is no number."""

from collections.abc import Callable

import cattrs

__all__ = ["exact_converter"]


def exact_converter(*kinds: type) -> cattrs.Converter:
    """Return a converter that refuses unknown fields, and values of another kind than stated.

    Args:
        *kinds: that are taken exactly, e.g. `int` and `bool`; cattrs alone would turn one into the
            other.
    """
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind in kinds:
        converter.register_structure_hook(kind, _exactly(kind))
    return converter


def _exactly(kind: type) -> Callable[[object, object], object]:
    def structured(value: object, _: object) -> object:
        if type(value) is not kind:
            raise ValueError(f"not {kind.__name__}")
        return value

    return structured
