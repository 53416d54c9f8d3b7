"""What a program or a stack may set on the provider itself, and what that means in the sandbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.aws.check import IGNORED, Failure
from sandbox.aws.values import UNKNOWN

CREDENTIALS: Final = frozenset(
    {"accessKey", "profile", "secretKey", "sharedConfigFiles", "sharedCredentialsFiles", "token"}
)
"""Ways to an account. The sandbox has none and looks at none of them; a notice says so."""

WITHOUT_EFFECT: Final = frozenset(
    {
        "maxRetries",
        "retryMode",
        "s3UsePathStyle",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "userAgents",
    }
)
"""How a client is to reach AWS: nothing of it changes what a program gets from the sandbox."""

# The last two are what an engine needs to find a plugin.
KNOWN: Final = (
    CREDENTIALS
    | WITHOUT_EFFECT
    | IGNORED
    | {"region", "defaultTags"}
    | {"version", "pluginDownloadURL"}
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The provider's configuration, as far as it counts here."""

    region: str
    default_tags: Mapping[str, str]
    set_aside: tuple[str, ...]
    """Credentials that were given and are not looked at."""


def refused(given: Mapping[str, Any]) -> list[Failure]:
    """Return a failure for each setting that the sandbox cannot honour."""
    failures = [
        Failure(
            path=name,
            reason=f"the sandbox's AWS provider cannot honour {name}; "
            "its cloud is where AWS_ENDPOINT_URL points, on this machine",
        )
        for name in sorted(given.keys() - KNOWN)
        if given[name] not in ("", [], {}, False, "false", "[]")
    ]
    if not isinstance(_default_tags(given), dict):
        failures.append(Failure(path="defaultTags", reason="expected an object with tags"))
    return failures


def read(given: Mapping[str, Any], environment: Mapping[str, str]) -> Config:
    """Read settings that passed `refused`; the environment gives the region where they do not."""
    region = given.get("region")
    if region in (None, "", UNKNOWN):
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    return Config(
        region=str(region or "us-east-1"),
        default_tags=_default_tags(given).get("tags") or {},
        set_aside=tuple(sorted(name for name in CREDENTIALS if given.get(name))),
    )


def _default_tags(given: Mapping[str, Any]) -> Any:
    """Return the default tags, which the engine hands over as JSON."""
    value = given.get("defaultTags") or {}
    try:
        return {} if value == UNKNOWN else json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
