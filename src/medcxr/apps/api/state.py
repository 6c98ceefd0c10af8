"""What all endpoints of one server share."""

from dataclasses import dataclass

from starlette.types import Scope

from medcxr.apps.api.limits import Limits
from medcxr.apps.api.metrics import Metrics
from medcxr.apps.api.rates import RateLimiter
from medcxr.apps.api.work import WorkQueue
from medcxr.services.tokens import TokenUse
from medcxr.services.workspace import Workspace

__all__ = ["ApiState", "token_use"]

TOKEN_KEY = "medcxr.token"  # noqa: S105 - where the doorkeeper leaves who came in  # nosec B105


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiState:
    """What all endpoints of one server share.

    Attributes:
        workspace: that is served; endpoints use it in the hands of a token's actor.
        limits: how much may be asked for.
        metrics: what is counted.
        queue: in which analyses take turns.
        tokens: how much each token asks.
        failures: how many wrong tokens each address sends.
    """

    workspace: Workspace
    limits: Limits
    metrics: Metrics
    queue: WorkQueue
    tokens: RateLimiter
    failures: RateLimiter

    @classmethod
    def of(cls, workspace: Workspace, limits: Limits) -> "ApiState":
        """Return the state of a server that begins."""
        return cls(
            workspace=workspace,
            limits=limits,
            metrics=Metrics(),
            queue=WorkQueue(limits),
            tokens=RateLimiter(burst=limits.token_burst, per_s=limits.token_per_s),
            failures=RateLimiter(burst=limits.failures_burst, per_s=limits.failures_per_s),
        )


def token_use(scope: Scope) -> TokenUse | None:
    """Return who came in with a request, None where it needed no token."""
    use = scope.get(TOKEN_KEY)
    return use if isinstance(use, TokenUse) else None
