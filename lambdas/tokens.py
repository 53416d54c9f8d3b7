"""Verification of Cognito's tokens: the one module that imports cryptography.

Only RS256 counts, and only a key that the token's own pool publishes. Keys are kept as long as the
container; a token that names an unknown key makes us look again, but not more often than once in
a while, so that nobody can make us hammer the pool with invented keys.
"""

import math
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, Final

import jwt
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import InvalidTokenError, PyJWKSetError

from lambdas.configuration import UserPool
from lambdas.identity import Proof, proved_by_claims
from lambdas.messages import ErrorCode
from lambdas.refusal import Refusal

REFETCH_SECONDS: Final = 60
"""The least time between two look-ups of one pool's keys because of an unknown key."""

KEEP_SECONDS: Final = 3600
"""Keys older than this are looked up again; the old ones still serve while the pool is silent."""

FETCH_TIMEOUT: Final = 2.0
KEYS_LIMIT: Final = 64 * 1024
"""Bytes of a key set; Cognito's have less than 1 KB."""

LEEWAY_SECONDS: Final = 5
"""How far clocks may differ."""

_USES: Final = {"id": "aud", "access": "client_id"}
"""Use of a token -> the claim in which it names its client."""

_REFUSED: Final = "The token is not valid here: it is expired, or of another app, or not a token."


class KeysUnavailableError(Exception):
    """A pool's keys cannot be had."""


class Keys:
    """The keys of user pools, by the address of their key set."""

    def __init__(self) -> None:
        self._sets: dict[str, tuple[float, Mapping[str, PyJWK]]] = {}
        self._tried: dict[str, float] = {}
        self._lock = threading.Lock()

    def key(self, url: str, kid: str) -> PyJWK | None:
        """The key of that id; None when the pool has no such key. Raises KeysUnavailableError."""
        with self._lock:
            now = monotonic()
            fetched, keys = self._sets.get(url) or (-math.inf, _NO_KEYS)
            stale = now - fetched > KEEP_SECONDS
            if (stale or kid not in keys) and self._may_try(url, now):
                try:
                    keys = _fetch(url)
                except (OSError, ValueError, PyJWKSetError) as error:
                    if not keys:
                        self._tried.pop(url)
                        raise KeysUnavailableError(url) from error
                else:
                    self._sets[url] = (now, keys)
            return keys.get(kid)

    def _may_try(self, url: str, now: float) -> bool:
        tried = self._tried.get(url)
        if tried is not None and now - tried < REFETCH_SECONDS:
            return False
        self._tried[url] = now
        return True


_NO_KEYS: Final[Mapping[str, PyJWK]] = {}


def _fetch(url: str) -> Mapping[str, PyJWK]:
    if not url.startswith(("https://", "http://")):
        raise ValueError("not a web address")
    with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT) as answer:  # noqa: S310
        text = answer.read(KEYS_LIMIT)
    keys = PyJWKSet.from_json(text.decode()).keys
    return {key.key_id: key for key in keys if key.key_id is not None and key.key_type == "RSA"}


_keys: Final = Keys()


def verify(token: str, pools: Sequence[UserPool], keys: Keys = _keys) -> Proof:
    """What a token proves. Raises Refusal: `forbidden`, or `unavailable` without the keys.

    The refusal does not say what is wrong: that would help nobody but who guesses.
    """
    try:
        header = jwt.get_unverified_header(token)
        unverified = jwt.decode(token, options={"verify_signature": False})
    except (InvalidTokenError, ValueError):
        raise Refusal(ErrorCode.FORBIDDEN, _REFUSED) from None
    pool = next((pool for pool in pools if pool.issuer == unverified.get("iss")), None)
    kid = header.get("kid")
    if pool is None or header.get("alg") != "RS256" or not isinstance(kid, str):
        raise Refusal(ErrorCode.FORBIDDEN, _REFUSED)
    try:
        key = keys.key(pool.jwks_url, kid)
    except KeysUnavailableError:
        raise Refusal(ErrorCode.UNAVAILABLE, "Tokens cannot be verified right now.") from None
    if key is None:
        raise Refusal(ErrorCode.FORBIDDEN, _REFUSED)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=pool.issuer,
            leeway=LEEWAY_SECONDS,
            # The client stands in `aud` or `client_id`, by the token's use; checked below.
            options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
        )
    except (InvalidTokenError, ValueError):
        raise Refusal(ErrorCode.FORBIDDEN, _REFUSED) from None
    client = claims.get(_USES.get(str(claims.get("token_use")), ""))
    if client not in pool.client_ids or not claims["sub"]:
        raise Refusal(ErrorCode.FORBIDDEN, _REFUSED)
    return proved_by_claims(claims, pool)
