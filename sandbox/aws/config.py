"""What a program or a stack may set on the provider itself, and what that means in the sandbox."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.check import IGNORED
from sandbox.aws.values import UNKNOWN

CREDENTIALS: Final = frozenset(
    {"accessKey", "profile", "secretKey", "sharedConfigFiles", "sharedCredentialsFiles", "token"}
)
"""Ways to an account. The sandbox has none and looks at none of them; a notice says so."""

WITHOUT_EFFECT: Final = frozenset(
    {
        *("maxRetries", "retryMode", "s3UsePathStyle", "userAgents"),
        *("skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation"),
        *("skipRequestingAccountId", "version", "pluginDownloadURL"),
    }
)
"""How a client is to reach AWS, or an engine its plugin: it changes nothing of what one gets."""


def refused(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that the sandbox cannot honour, each with the reason."""
    known = CREDENTIALS | WITHOUT_EFFECT | IGNORED | {"region", "defaultTags"}
    reasons = {
        name: f"the sandbox's AWS provider cannot honour {name}; "
        "its cloud is where AWS_ENDPOINT_URL points, on this machine"
        for name in sorted(given.keys() - known)
        if given[name] not in ("", [], {}, False, "false", "[]")
    }
    if not isinstance(default_tags(given), dict):
        reasons["defaultTags"] = "expected an object with tags"
    return reasons


def region(given: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """Return the region of settings, or of the environment where they have none."""
    chosen = given.get("region")
    if chosen in (None, "", UNKNOWN):
        chosen = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    return str(chosen or "us-east-1")


def default_tags(given: Mapping[str, Any]) -> Any:
    """Return the setting of default tags, which the engine hands over as JSON."""
    value = given.get("defaultTags") or {}
    try:
        return {} if value == UNKNOWN else json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
