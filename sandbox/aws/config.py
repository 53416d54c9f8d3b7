"""What a program or a stack may set on the provider itself, and what that means in the sandbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.aws.check import IGNORED, Failure
from sandbox.aws.values import UNKNOWN

USED: Final = frozenset({"region", "defaultTags"})

PLUGIN: Final = frozenset({"version", "pluginDownloadURL"})
"""What an engine needs to find a plugin."""

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


@dataclass(frozen=True, kw_only=True)
class Config:
    """The provider's configuration, as far as it counts here."""

    region: str
    default_tags: Mapping[str, str]
    set_aside: tuple[str, ...]
    """Credentials that were given and are not looked at."""


def refused(given: Mapping[str, Any]) -> list[Failure]:
    """Return a failure for each setting that the sandbox cannot honour."""
    known = USED | CREDENTIALS | WITHOUT_EFFECT | IGNORED | PLUGIN
    failures = [
        Failure(
            path=name,
            reason=f"the sandbox's AWS provider cannot honour {name}; "
            "its cloud is where AWS_ENDPOINT_URL points, on this machine",
        )
        for name in sorted(given.keys() - known)
        if given[name] not in (None, "", [], {}, False, "false", "[]")
    ]
    tags = given.get("defaultTags")
    if tags is not UNKNOWN and not isinstance(_structured(tags), dict | None):
        failures.append(Failure(path="defaultTags", reason="expected an object with tags"))
    return failures


def read(given: Mapping[str, Any], environment: Mapping[str, str]) -> Config:
    """Read settings that passed `refused`; the environment gives the region where they do not."""
    region = given.get("region")
    if not region or region is UNKNOWN:
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    tags = _structured(given.get("defaultTags")) or {}
    return Config(
        region=str(region or "us-east-1"),
        default_tags={} if tags is UNKNOWN else dict(tags.get("tags") or {}),
        set_aside=tuple(sorted(name for name in CREDENTIALS if given.get(name))),
    )


def _structured(value: Any) -> Any:
    """Return a setting that is not a text; the engine hands those over as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
