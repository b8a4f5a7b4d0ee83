"""One request of a client, from event to answer: read, admitted, done, told and logged."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gatehouse import telemetry
from gatehouse.access import MESSAGE, Answered, Problem
from gatehouse.admission import telling
from gatehouse.admission.addresses import address_of
from gatehouse.admission.model import Admitted
from gatehouse.admission.service import Admission
from gatehouse.credentials.clients import Clients
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import GatehouseError, RateLimitExceeded, ServiceUnavailable, Unauthenticated
from oauth import forms, refusals
from oauth.acts import Told, act_of
from oauth.refusals import Refusal

_RETRY_AFTER_SECONDS = "1"


@dataclass(frozen=True)
class Endpoint:
    """The endpoints of `acts`; a body has at most `max_bytes`."""

    admission: Admission
    clients: Clients
    max_bytes: int

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """API Gateway's answer to a REST API event; every refusal is an error as the standard has them."""
        started = time.perf_counter()
        exchange = _Exchange(event)
        try:
            response = self._respond(exchange, 200, self._perform(exchange))
        except Refusal as refusal:
            response = self._refuse(exchange, refusal)
        except GatehouseError as error:
            if isinstance(error, ServiceUnavailable):
                telemetry.logger().warning("something did not answer", exc_info=error)
            response = self._refuse(exchange, refusals.refusal_of(error))
        except Exception as error:  # noqa: BLE001 - the boundary: Lambda would answer with the exception's own words
            telemetry.logger().error("unexpected error", exc_info=error)
            response = self._refuse(exchange, refusals.unexpected())
        exchange.log(response["statusCode"], time.perf_counter() - started)
        return response

    def _perform(self, exchange: "_Exchange") -> Told:
        event = exchange.event
        address = self._address(event)
        try:
            act = act_of(event["httpMethod"], event["resource"])
            form = forms.read(event, self.max_bytes)
            act.check(form)
            client = self.admission.by_secret(CredentialType.OAUTH2, forms.client_of(event, form), address)
        except (Refusal, Unauthenticated):
            # Nobody is known, so that who sends such requests is counted by their address.
            exchange.admit(self.admission.anonymous(address))
            raise
        return act.perform(self.clients, exchange.admit(_with_origin(client, address, event)), form)

    def _address(self, event: Mapping[str, Any]) -> str:
        forwarded = ", ".join(forms.values_of(event, "x-forwarded-for"))
        return address_of(event["requestContext"]["identity"]["sourceIp"], forwarded, self.admission.trusted_proxies)

    def _refuse(self, exchange: "_Exchange", refusal: Refusal) -> dict[str, Any]:
        exchange.error = refusal.error
        return self._respond(
            exchange, refusal.status, {"error": refusal.error, "error_description": refusal.description}
        )

    def _respond(self, exchange: "_Exchange", status: int, told: Told) -> dict[str, Any]:
        headers = {"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff"}
        if told is not None:
            headers["Content-Type"] = "application/json;charset=UTF-8"
        if exchange.admitted is not None:
            headers |= telling.headers(exchange.admitted.allowance)
        if status == Unauthenticated.status:
            headers["WWW-Authenticate"] = 'Basic realm="gatehouse", charset="UTF-8"'
        if status == 405:
            headers["Allow"] = "POST"
        if status == RateLimitExceeded.status and exchange.admitted is not None:
            now = self.admission.clock.now()
            headers["Retry-After"] = str(telling.retry_after(exchange.admitted.allowance, now))
        if status == ServiceUnavailable.status:
            headers["Retry-After"] = _RETRY_AFTER_SECONDS
        body = "" if told is None else json.dumps(told)
        return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}


def _with_origin(client: Admitted, address: str, event: Mapping[str, Any]) -> Admitted:
    """The client, with where its request comes from and which it is."""
    caller = replace(client.caller, address=address, correlation_id=event["requestContext"]["requestId"])
    return replace(client, caller=caller)


@dataclass
class _Exchange:
    """What is known of the request while it is answered."""

    event: Mapping[str, Any]
    admitted: Admitted | None = None
    error: str | None = None

    def admit(self, admitted: Admitted) -> Admitted:
        """Whoever the gate let in; raises RateLimitExceeded where that was only to be told so."""
        self.admitted = admitted
        if admitted.allowance.is_spent:
            raise RateLimitExceeded("Too many requests; the Retry-After header tells when to try again.")
        return admitted

    def log(self, status: int, seconds: float) -> None:
        """One line a request, and its figures: facts, and nothing that a client sent."""
        answered = Answered(
            method=self.event["httpMethod"],
            endpoint=self.event["resource"],
            status=status,
            seconds=seconds,
            operation=self.event["resource"],
            caller=None if self.admitted is None else self.admitted.caller,
            allowance=None if self.admitted is None else self.admitted.allowance,
            problems=() if self.error is None else [Problem(self.error)],
        )
        telemetry.logger().info(MESSAGE, extra=answered.line)
        telemetry.counts().add(answered.facts)
