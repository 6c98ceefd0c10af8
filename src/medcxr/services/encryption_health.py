"""Whether the certificate by which the servers encrypt can be used, and for how long."""

from medcxr.core.language import say
from medcxr.services.health import Outcome, attention, good
from medcxr.services.server_tls import chosen_certificate, ends_soon

__all__ = ["check_certificate"]


def check_certificate() -> Outcome:
    """Look at the certificate that the settings name.

    Raises:
        DataError: it cannot be used.
    """
    found = chosen_certificate()
    if found is None:
        return good(say("The settings name none; it is for servers that other computers reach."))
    told = say(
        "{file} is valid until {date}.", file=found.certificate, date=f"{found.ends_at:%Y-%m-%d}"
    )
    if ends_soon(found):
        return attention(told, say("Have it renewed, and start the servers again."))
    return good(told)
