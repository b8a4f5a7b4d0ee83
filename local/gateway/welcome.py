"""What the person who starts the system on this machine is told: who may sign in, and how, and what else there is."""

import json
import shlex
from urllib.parse import urljoin

from gatehouse.bootstrap import Bootstrap
from gatehouse.errors import Conflict, GatehouseError
from local.gateway.environment import EXAMPLE_BASE_PATH, Choices, StartError

READY = "Gatehouse is ready: "
"""What the line starts with that says where."""

_USERNAME = "admin"
_LOGIN = "mutation ($as: LoginInput!) { login(loginInput: $as) { accessToken expiresIn } }"


def first_admin(bootstrap: Bootstrap, chosen: Choices, url: str) -> list[str]:
    """Makes the first ADMIN where there is none, and tells how to sign in; of passwords only one that was made now.

    Raises StartError where the ADMIN cannot be made as chosen.
    """
    try:
        first = bootstrap.create_first_admin(chosen.admin_email, _USERNAME, chosen.admin_password)
    except GatehouseError as error:
        if isinstance(error, Conflict) and error.field is None:
            return ["The store has an ADMIN already. To sign in:", _curl(url, "<email>", "<password>")]
        raise StartError(f"the first ADMIN cannot be made: {error.message}") from error
    made = f", password {first.password}" if first.password else ""
    return [
        f"The first ADMIN is {first.user.email}{made}. To sign in:",
        _curl(url, first.user.email, first.password or "<ADMIN_PASSWORD>"),
    ]


def where_the_example_is(url: str) -> str:
    """The line on the operator's own API, which is served beside the API at `url`."""
    orders = urljoin(url, f"/{EXAMPLE_BASE_PATH}/orders")
    return f"An API of your own behind the same gate, as docs/protect-your-api.md shows it: {orders}"


def _curl(url: str, email: str, password: str) -> str:
    body = json.dumps({"query": _LOGIN, "variables": {"as": {"email": email, "password": password}}})
    return f"  curl -s {url} -H 'Content-Type: application/json' -d {shlex.quote(body)}"
