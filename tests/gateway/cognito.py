"""User pools for tests: keys, a JWKS address on loopback, good tokens and every kind of bad one."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

Claims = dict[str, Any]


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(kw_only=True)
class UserPool:
    """One Cognito user pool."""

    id: str
    entity_type: str
    client_id: str
    now: Callable[[], float] = time.time
    key: rsa.RSAPrivateKey = field(default_factory=_new_key)
    kid: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.us-east-1.amazonaws.com/{self.id}"

    @cached_property
    def jwks(self) -> dict[str, Any]:
        """As Cognito serves it: two keys, of which the second signs here."""
        other = RSAAlgorithm.to_jwk(_new_key().public_key(), as_dict=True)
        mine = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {
            "keys": [
                {**other, "kid": str(uuid.uuid4()), "alg": "RS256", "use": "sig"},
                {**mine, "kid": self.kid, "alg": "RS256", "use": "sig"},
            ]
        }

    def claims(self, sub: str, /, **changes: Any) -> Claims:
        """The claims of an ID token, valid for an hour from now."""
        now = int(self.now())
        claims: Claims = {
            "sub": sub,
            "iss": self.issuer,
            "aud": self.client_id,
            "token_use": "id",
            "cognito:username": sub,
            "email": f"{sub}@example.com",
            "email_verified": True,
            "auth_time": now,
            "iat": now,
            "exp": now + 3600,
            "jti": str(uuid.uuid4()),
        }
        claims.update(changes)
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, sub: str, /, **changes: Any) -> str:
        """A signed ID token; a claim changed to `None` is left out."""
        return self.sign(self.claims(sub, **changes))

    def access_token(self, sub: str, /, **changes: Any) -> str:
        claims = self.claims(
            sub,
            aud=None,
            email=None,
            email_verified=None,
            token_use="access",
            client_id=self.client_id,
            username=sub,
            scope="aws.cognito.signin.user.admin",
        )
        claims.update(changes)
        return self.sign({name: value for name, value in claims.items() if value is not None})

    def sign(self, claims: Claims, *, key: rsa.RSAPrivateKey | None = None) -> str:
        return jwt.encode(claims, key or self.key, "RS256", headers={"kid": self.kid})

    # --- Forgeries ----------------------------------------------------------------------------

    def unsigned_token(self, sub: str) -> str:
        """`alg: none`, with the right `kid`."""
        return _assemble({"alg": "none", "kid": self.kid}, self.claims(sub), b"")

    def confused_token(self, sub: str) -> str:
        """HS256 with the public key's text as the secret: the classic algorithm confusion."""
        import hashlib
        import hmac

        secret = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        head = {"alg": "HS256", "kid": self.kid, "typ": "JWT"}
        signed = _assemble(head, self.claims(sub), b"").rpartition(".")[0]
        return f"{signed}.{_b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"

    def wrong_key_token(self, sub: str) -> str:
        """The right `kid`, another key."""
        return self.sign(self.claims(sub), key=_new_key())

    def tampered_token(self, sub: str, other_sub: str) -> str:
        """A true signature over another user's claims."""
        head, _, signature = self.token(sub).split(".")
        return f"{head}.{_b64(json.dumps(self.claims(other_sub)).encode())}.{signature}"


def _assemble(head: dict[str, str], claims: Claims, signature: bytes) -> str:
    parts = (json.dumps(head).encode(), json.dumps(claims).encode(), signature)
    return ".".join(_b64(part) for part in parts)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(kw_only=True)
class Cognito:
    """The pools of the ecosystem and the server of their keys."""

    now: Callable[[], float] = time.time
    key_requests: list[str] = field(default_factory=list)
    """Paths that were asked for, so that a test sees whether keys are cached."""

    def __post_init__(self) -> None:
        self.merchants = UserPool(
            id="us-east-1_Merchants", entity_type="merchant", client_id="merchant-app", now=self.now
        )
        self.customers = UserPool(
            id="us-east-1_Customers", entity_type="customer", client_id="customer-app", now=self.now
        )
        self.drivers = UserPool(
            id="us-east-1_Drivers", entity_type="driver", client_id="driver-app", now=self.now
        )
        self.foreign = UserPool(
            id="us-east-1_Foreign", entity_type="merchant", client_id="merchant-app", now=self.now
        )

    @property
    def trusted(self) -> tuple[UserPool, ...]:
        return (self.merchants, self.customers, self.drivers)

    def __enter__(self) -> Self:
        pools = {f"/{p.id}/.well-known/jwks.json": p for p in (*self.trusted, self.foreign)}
        requests = self.key_requests

        class Keys(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append(self.path)
                pool = pools.get(self.path)
                body = json.dumps(pool.jwks if pool else {}).encode()
                self.send_response(200 if pool else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def configuration(self) -> list[dict[str, object]]:
        """The pools as the Lambdas' environment names them."""
        return [
            {
                "id": pool.id,
                "issuer": pool.issuer,
                "clientIds": [pool.client_id],
                "entityType": pool.entity_type,
                "jwksUrl": f"http://127.0.0.1:{self._server.server_port}"
                f"/{pool.id}/.well-known/jwks.json",
            }
            for pool in self.trusted
        ]
