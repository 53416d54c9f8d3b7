"""How the keys of user pools are kept, and when they are looked up again."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from lambdas import tokens
from lambdas.messages import ErrorCode
from lambdas.refusal import Refusal
from lambdas.tokens import KEEP_SECONDS, REFETCH_SECONDS, Keys, KeysUnavailableError
from tests.gateway.cognito import Cognito

URL = "https://pool/keys"


@dataclass
class Pool:
    """A pool whose keys can change, and that can fall silent."""

    kids: list[str] = field(default_factory=lambda: ["k1"])
    silent: bool = False
    requests: int = 0
    now: float = 1000.0

    def fetch(self, _url: str) -> dict[str, Any]:
        self.requests += 1
        if self.silent:
            raise OSError("silent")
        return dict.fromkeys(self.kids, "key")


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    pool = Pool()
    monkeypatch.setattr(tokens, "_fetch", pool.fetch)
    monkeypatch.setattr(tokens, "monotonic", lambda: pool.now)
    return pool


def test_keys_are_looked_up_once(pool: Pool) -> None:
    keys = Keys()
    for _ in range(5):
        assert keys.key(URL, "k1") == "key"
    assert pool.requests == 1


def test_an_unknown_key_makes_us_look_again_but_not_all_the_time(pool: Pool) -> None:
    keys = Keys()
    keys.key(URL, "k1")
    for number in range(100):
        assert keys.key(URL, f"invented-{number}") is None
    assert pool.requests == 1
    pool.now += REFETCH_SECONDS
    pool.kids = ["k1", "k2"]
    assert keys.key(URL, "k2") == "key"
    assert pool.requests == 2


def test_a_key_that_the_pool_withdrew_is_forgotten(pool: Pool) -> None:
    keys = Keys()
    keys.key(URL, "k1")
    pool.kids = ["k2"]
    pool.now += KEEP_SECONDS + 1
    assert keys.key(URL, "k1") is None


def test_while_the_pool_is_silent_known_keys_go_on_to_serve(pool: Pool) -> None:
    keys = Keys()
    keys.key(URL, "k1")
    pool.silent = True
    pool.now += KEEP_SECONDS + 1
    assert keys.key(URL, "k1") == "key"


def test_without_any_keys_a_silent_pool_is_an_error_and_is_asked_again(pool: Pool) -> None:
    keys = Keys()
    pool.silent = True
    for _ in range(2):
        with pytest.raises(KeysUnavailableError):
            keys.key(URL, "k1")
    pool.silent = False
    assert keys.key(URL, "k1") == "key"


def test_a_client_is_told_to_come_back_when_keys_cannot_be_had(
    pool: Pool, cognito: Cognito
) -> None:
    from lambdas.configuration import UserPool

    pool.silent = True
    configured = UserPool(
        id=cognito.merchants.id,
        issuer=cognito.merchants.issuer,
        client_ids=(cognito.merchants.client_id,),
        entity_type=cognito.merchants.entity_type,
        jwks_url=URL,
    )
    with pytest.raises(Refusal) as caught:
        tokens.verify(cognito.merchants.token("m1"), (configured,), Keys())
    assert caught.value.code is ErrorCode.UNAVAILABLE


def test_an_address_that_is_no_web_address_is_not_opened() -> None:
    with pytest.raises(KeysUnavailableError):
        Keys().key("file:///etc/passwd", "k1")


def test_only_rsa_keys_count(monkeypatch: pytest.MonkeyPatch) -> None:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    secret = base64.urlsafe_b64encode(b"x" * 32).decode()
    document = {
        "keys": [
            {**RSAAlgorithm.to_jwk(public, as_dict=True), "kid": "good", "alg": "RS256"},
            {"kty": "oct", "k": secret, "kid": "bad", "alg": "HS256"},
        ]
    }

    class Answer:
        def read(self, _limit: int) -> bytes:
            return json.dumps(document).encode()

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing is open."""

    monkeypatch.setattr(tokens.urllib.request, "urlopen", lambda *_, **__: Answer())
    keys = Keys()
    assert isinstance(keys.key(URL, "good"), jwt.PyJWK)
    assert keys.key(URL, "bad") is None
