"""Good tokens verify against the published keys; each forgery is what it claims to be."""

from collections.abc import Iterator

import jwt
import pytest

from tests.gateway.cognito import Cognito, UserPool


@pytest.fixture(scope="module")
def cognito() -> Iterator[Cognito]:
    with Cognito() as running:
        yield running


def verify(cognito: Cognito, pool: UserPool, token: str) -> dict[str, object]:
    address = next(c["jwksUrl"] for c in cognito.configuration() if c["id"] == pool.id)
    key = jwt.PyJWKClient(str(address)).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, ["RS256"], audience=pool.client_id, issuer=pool.issuer)


def test_a_token_verifies_against_the_keys_of_its_pool(cognito: Cognito) -> None:
    pool = cognito.merchants
    assert verify(cognito, pool, pool.token("m1"))["sub"] == "m1"


def test_an_access_token_names_its_client_and_no_audience(cognito: Cognito) -> None:
    token = cognito.customers.access_token("c1")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["token_use"], claims["client_id"]) == ("access", "customer-app")
    assert "aud" not in claims


@pytest.mark.parametrize("forgery", ["unsigned_token", "confused_token", "wrong_key_token"])
def test_a_forged_token_carries_the_right_key_id_and_does_not_verify(
    cognito: Cognito, forgery: str
) -> None:
    token = getattr(cognito.merchants, forgery)("m1")
    assert jwt.get_unverified_header(token)["kid"] == cognito.merchants.kid
    with pytest.raises(jwt.InvalidTokenError):
        verify(cognito, cognito.merchants, token)


def test_a_tampered_token_does_not_verify(cognito: Cognito) -> None:
    with pytest.raises(jwt.InvalidSignatureError):
        verify(cognito, cognito.merchants, cognito.merchants.tampered_token("m1", "m2"))
