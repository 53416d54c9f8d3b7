"""The way to AWS, or to the sandbox: clients, whose account it is, and faults in one line."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError
from botocore.parsers import ResponseParserError

from ops.errors import OperatorError, refused, unasked

_CONFIG: Final = Config(
    connect_timeout=3,
    read_timeout=15,
    retries={"mode": "standard", "total_max_attempts": 4},
)
"""How patient every call is: a throttled or failed one is tried three times more, with jitter."""

_NO_SURROUNDINGS: Final[Any] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""The sandbox is reached whatever profile is chosen, also one that does not exist."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a stack is: an account's region, or the sandbox on this machine."""

    region: str
    account: str | None
    """The account that the outputs name, where they do."""
    sandbox: str | None
    """Endpoint of the sandbox's cloud."""

    def __str__(self) -> str:
        """As a message names it."""
        if self.sandbox is not None:
            return f"the sandbox at {self.sandbox}"
        return f"account {self.account}, region {self.region}" if self.account else self.region


def client(place: Place, service: str, *, profile: str | None, endpoint: str | None) -> Any:
    """A boto3 client of `service`; on an account only when the credentials are that account's.

    Raises OperatorError where they are another's, or the outputs do not say whose the stack is,
    and BotoCoreError or ClientError where nobody can tell whose the credentials are.
    """
    if place.sandbox is not None:
        return _client(service, place.region, endpoint or place.sandbox, None, own=False)
    if place.account is None:
        raise OperatorError(
            "nobody can tell whose account the stack is in: its output fanoutQueueUrl, which says "
            "so, is missing or names none, and tables of the same name may be in another; get all "
            "outputs again (pulumi stack output --json), or deploy the present version (pulumi up)"
        )
    theirs = _account_of(place.region, profile)
    if theirs != place.account:
        of = f"of profile {profile}" if profile else "in use"
        raise OperatorError(
            f"the stack is in account {place.account}, and the AWS credentials {of} are account "
            f"{theirs}'s: name a profile of {place.account} with --profile, or give the outputs "
            f"of the stack in {theirs}"
        )
    return _client(service, place.region, endpoint, profile, own=True)


@contextmanager
def readable(place: Place, profile: str | None) -> Generator[None]:
    """AWS's refusals, and whatever is on the way to it, as OperatorError."""
    try:
        yield
    except ClientError as error:
        raise refused(error, where=str(place)) from error
    except (UnreachableError, HTTPClientError) as error:
        if place.sandbox is not None:
            raise OperatorError(
                f"the sandbox's cloud does not answer at {place.sandbox}: make up starts it, and "
                "make outputs says where it is"
            ) from error
        raise unasked(error, profile=profile) from error
    except BotoCoreError as error:
        raise unasked(error, profile=profile) from error
    except ResponseParserError as error:
        raise OperatorError(
            "what answered is not AWS: check proxy, captive portal and AWS_ENDPOINT_URL"
        ) from error


@functools.lru_cache
def _client(
    service: str, region: str, endpoint: str | None, profile: str | None, *, own: bool
) -> Any:
    """A client, the same one for the same service: making one takes longer than most calls."""
    make = cast("Callable[..., Any]", _session(region, profile, own=own).client)
    # No proxy of the surroundings stands between this machine and its own sandbox.
    config = _CONFIG if own else _CONFIG.merge(Config(proxies={}))
    try:
        return make(service, endpoint_url=endpoint, config=config)
    except ValueError as error:
        raise OperatorError(f"{error}: check AWS_ENDPOINT_URL and the profile") from error


@functools.lru_cache
def _session(region: str, profile: str | None, *, own: bool) -> boto3.Session:
    """The account's session, or the sandbox's; what it has read of AWS's models is read once."""
    if own:
        return boto3.Session(profile_name=profile, region_name=region)
    return boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the sandbox's only key
        region_name=region,
        botocore_session=botocore.session.Session(session_vars=_NO_SURROUNDINGS),
    )


@functools.lru_cache
def _account_of(region: str, profile: str | None) -> str:
    """The account whose credentials are in use; a call that needs no permission."""
    identity = _client("sts", region, None, profile, own=True).get_caller_identity()
    return str(identity["Account"])


def forget() -> None:
    """Make clients anew, and ask anew whose the credentials are: they may have changed."""
    _session.cache_clear()
    _client.cache_clear()
    _account_of.cache_clear()
