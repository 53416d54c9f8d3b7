"""No forged, foreign, expired or borrowed token registers anybody."""

from collections.abc import Callable

import pytest

from tests.gateway.backend import Backend
from tests.gateway.cognito import Cognito
from tests.lambdas.attack.refusals import refuse

FORGERIES: dict[str, Callable[[Cognito], str]] = {
    "expired": lambda c: c.merchants.token("m1", exp=int(c.merchants.now()) - 60),
    "expires now": lambda c: c.merchants.token("m1", exp=int(c.merchants.now()) - 6),
    "without expiry": lambda c: c.merchants.token("m1", exp=None),
    "of a foreign pool": lambda c: c.foreign.token("m1"),
    "of a foreign pool that names ours": lambda c: c.foreign.token("m1", iss=c.merchants.issuer),
    "unsigned": lambda c: c.merchants.unsigned_token("m1"),
    "HS256 with the public key": lambda c: c.merchants.confused_token("m1"),
    "signed by another key": lambda c: c.merchants.wrong_key_token("m1"),
    "of another user under a true signature": lambda c: c.merchants.tampered_token("m2", "m1"),
    "for another client": lambda c: c.merchants.token("m1", aud="other-app"),
    "for several clients": lambda c: c.merchants.token("m1", aud=["merchant-app", "other-app"]),
    "without a client": lambda c: c.merchants.token("m1", aud=None),
    "an access token for another client": lambda c: c.merchants.access_token(
        "m1", client_id="other-app"
    ),
    "a refresh token": lambda c: c.merchants.token("m1", token_use="refresh"),
    "without a use": lambda c: c.merchants.token("m1", token_use=None),
    "issued in the future": lambda c: c.merchants.token("m1", iat=int(c.merchants.now()) + 600),
    "not valid yet": lambda c: c.merchants.token("m1", nbf=int(c.merchants.now()) + 600),
    "without a subject": lambda c: c.merchants.token("m1", sub=None),
    "with an empty subject": lambda c: c.merchants.token("m1", sub=""),
    "with a number for a subject": lambda c: c.merchants.sign(c.merchants.claims("m1", sub=1)),
    "of a customer": lambda c: c.customers.token("m1"),
    "of a driver": lambda c: c.drivers.token("m1"),
    "no token": lambda _c: "not-a-token",
    "three dots": lambda _c: "a.b.c",
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_token_that_proves_nothing_opens_no_business(
    backend: Backend, cognito: Cognito, kind: str
) -> None:
    backend.business("b1", owner="m1")
    device = backend.device(businessId="b1", userId="m1")
    token = FORGERIES[kind](cognito)
    answer = refuse(
        backend,
        device,
        "forbidden",
        "REGISTER_CONNECTION",
        businessId="b1",
        entityType="merchant",
        token=token,
    )
    assert token not in str(answer)
    refuse(backend, device, "not_registered", "SUBSCRIBE_ORDERS", businessId="b1")


def test_a_registration_without_a_token_is_invalid(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.device(businessId="b1", userId="m1")
    refuse(backend, device, "invalid", "REGISTER_CONNECTION", businessId="b1")


def test_another_users_token_cannot_take_over_a_connection(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.business("b2", owner="m2")
    device = backend.merchant("m1", "b1")
    for token, business_id in (
        (backend.cognito.merchants.token("m2"), "b2"),
        (backend.cognito.customers.token("c1"), None),
    ):
        refuse(
            backend, device, "conflict", "REGISTER_CONNECTION", businessId=business_id, token=token
        )
    assert device.ask("SUBSCRIBE_ORDERS", businessId="b1")["type"] == "SUBSCRIBED"


def test_the_same_user_may_register_again(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    token = backend.cognito.merchants.token("m1")
    answer = device.ask("REGISTER_CONNECTION", businessId="b1", token=token)
    assert answer["type"] == "REGISTERED"


def test_invented_key_ids_do_not_make_us_hammer_the_pool(
    backend: Backend, cognito: Cognito
) -> None:
    import jwt

    backend.business("b1", owner="m1")
    backend.merchant("m1", "b1")
    cognito.key_requests.clear()
    device = backend.device()
    for number in range(5):
        token = jwt.encode(
            cognito.merchants.claims("m1"),
            cognito.merchants.key,
            "RS256",
            headers={"kid": f"invented-{number}"},
        )
        refuse(backend, device, "forbidden", "REGISTER_CONNECTION", businessId="b1", token=token)
    assert len(cognito.key_requests) <= 1
