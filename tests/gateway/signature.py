"""Checks an AWS Signature Version 4 as the service does, from the request as it came over the wire.

Written from docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and
not over botocore, so that a client which signs by hand is held against something else than itself.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class SignatureError(Exception):
    """The request is not signed, or not with what it says."""


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """A request as it arrived: raw path, headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def check_signature(request: SignedRequest, *, secret: str, service: str = "execute-api") -> None:
    """Raise SignatureError unless the request carries a right signature for the service."""
    match = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        raise SignatureError("Missing Authentication Token")
    day, region, signed_service, terminal = match["scope"].split("/")
    if (signed_service, terminal) != (service, "aws4_request"):
        raise SignatureError(f"Credential should be scoped to correct service: '{service}'.")
    names = match["headers"].split(";")
    if "host" not in names:
        raise SignatureError("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    path, _, query = request.path.partition("?")
    canonical = "\n".join(
        [
            request.method,
            quote(path, safe="/-_.~"),
            query,
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            match["headers"],
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    stamp = request.headers.get("x-amz-date", "")
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            stamp,
            match["scope"],
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(
        hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), match["signature"]
    ):
        raise SignatureError("The request signature we calculated does not match the signature.")
