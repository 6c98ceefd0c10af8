"""What tests of accounts share: a clock that is told, and users with known passwords."""

from medcxr.core.access import Role
from medcxr.security.passwords import INITIAL_PASSWORD
from medcxr.services.accounts import change_password, sign_in
from medcxr.services.users import add_user

GOOD = "correct horse battery"
BETTER = "three unrelated words"
ADMIN = "admin"


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def settle(workspace, password=GOOD, *, clock=None):
    """Give `admin` a password of its own and return the session in which that was done."""
    told = {} if clock is None else {"clock": clock}
    first = sign_in(workspace, ADMIN, INITIAL_PASSWORD, **told)
    return change_password(workspace, first.token, INITIAL_PASSWORD, password, **told)


def add(workspace, name, role=Role.CLINICIAN, password=GOOD, *, clock=None):
    """Add a user who has changed the first password, and return the session."""
    told = {} if clock is None else {"clock": clock}
    made = add_user(workspace, name, role)
    first = sign_in(workspace, name, made.password, **told)
    return change_password(workspace, first.token, made.password, password, **told)


def enter(app, password=GOOD, *, name=ADMIN):
    """Sign in on the page that Streamlit's own test runner has run."""
    app.text_input[0].input(name)
    app.text_input[1].input(password)
    app.button[0].click()
    return app.run()
