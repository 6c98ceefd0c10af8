"""What `--help` tells of the models that came with the package."""

from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

if TYPE_CHECKING:
    from medcxr.registry.manifest import Manifest

__all__ = ["NamesModels"]


class NamesModels(TyperCommand):
    """A command whose help ends with the package's models and how well each was measured."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - Typer's own Click
        """Write the help; manifests are read now, so that nothing happens at import."""
        self.epilog = _told_models()
        super().format_help(ctx, formatter)


def _told_models() -> str:
    from medcxr.core.errors import ModelError  # noqa: PLC0415 - commands must start at once
    from medcxr.registry.shipped import shipped_manifests  # noqa: PLC0415

    try:
        found = shipped_manifests()
    except ModelError as error:
        return str(error)
    return "\n\n".join(
        ["Models of the package, the one that answers by itself first:", *map(_told, found)]
    )


def _told(manifest: "Manifest") -> str:
    words = f"{manifest.name}: {manifest.description}"
    if not manifest.measurements:
        return f"{words} Not measured."
    report = manifest.measurements[0].report
    mean = "not determined" if report.mean_auc is None else report.mean_auc.told(3)
    return (
        f"{words} Mean AUC {mean} on {report.n_images:,} images; more: medcxr models show "
        f"{manifest.name}"
    )
