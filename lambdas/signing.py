"""Signature Version 4 for posts to connections: pure, and cheap enough to sign every post.

botocore's signer serves every service and takes its time. Here the method, the headers and the
day's key are the same for all posts, and the hash of the body is the same for all who get it. The
rules:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property, lru_cache

SERVICE = "execute-api"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who signs."""

    access_key: str
    secret_key: str
    token: str | None


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Signs posts to one host at one moment; a signature holds for some minutes around it."""

    credentials: Credentials
    region: str
    host: str
    """With the port, where it is not the scheme's own: exactly what stands in the Host header."""
    moment: str
    """As `20260101T120000Z`."""

    def headers(self, path: str, body_hash: str) -> str:
        """The header lines of a POST to `path` (already percent-encoded, as sent)."""
        # Every service but S3 wants the encoded path encoded once more.
        canonical = (
            f"POST\n{path.replace('%', '%25')}\n\n{self._canonical_headers}\n"
            f"{self._signed_headers}\n{body_hash}"
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{self.moment}\n{self._scope}\n{digest}"
        signature = hmac.digest(self._key, text.encode(), "sha256").hex()
        return f"{self._constant_headers}{signature}\r\n"

    @cached_property
    def _scope(self) -> str:
        return f"{self.moment[:8]}/{self.region}/{SERVICE}/aws4_request"

    @cached_property
    def _key(self) -> bytes:
        return _key(self.credentials.secret_key, self.moment[:8], self.region)

    @cached_property
    def _signed_headers(self) -> str:
        names = "host;x-amz-date"
        return names if self.credentials.token is None else f"{names};x-amz-security-token"

    @cached_property
    def _canonical_headers(self) -> str:
        lines = f"host:{self.host}\nx-amz-date:{self.moment}\n"
        token = self.credentials.token
        return lines if token is None else f"{lines}x-amz-security-token:{token}\n"

    @cached_property
    def _constant_headers(self) -> str:
        token = self.credentials.token
        return (
            f"Host: {self.host}\r\nX-Amz-Date: {self.moment}\r\n"
            + ("" if token is None else f"X-Amz-Security-Token: {token}\r\n")
            + "Authorization: AWS4-HMAC-SHA256 "
            f"Credential={self.credentials.access_key}/{self._scope}, "
            f"SignedHeaders={self._signed_headers}, Signature="
        )


def body_hash(body: bytes) -> str:
    """What a signature says of a body; the same for all who get it."""
    return hashlib.sha256(body).hexdigest()


@lru_cache(maxsize=4)
def _key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
