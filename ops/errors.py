"""What stops an operator's command: each fault in a line with its thing, reason and way out."""

from __future__ import annotations

from typing import Final

import click
from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

THROTTLES: Final = frozenset(
    {
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Codes by which AWS's services say that they were asked too often."""
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN_KEY: Final = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"}
)
_WRONG_KEY: Final = frozenset({"SignatureDoesNotMatch", "InvalidSignatureException"})
_FORBIDDEN: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_ABSENT: Final = frozenset(
    {
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
    }
)

SIGN_IN: Final = "sign in (aws sso login, or aws configure), or name another profile with --profile"


class OperatorError(click.ClickException):
    """Something that the operator can mend: the text names the thing, the reason and the way out.

    Exit status 2, so that a script tells "could not be done" from "was done and failed" (1).
    """

    exit_code = 2


def code_of(error: ClientError) -> str:
    """AWS's code of a refused call, as `AccessDeniedException`."""
    return error.response.get("Error", {}).get("Code", "unknown")


def refused(error: ClientError, *, where: str = "") -> OperatorError:
    """A refused call as something that an operator can read.

    `where` says which account and region were asked.
    """
    code, call = code_of(error), error.operation_name
    said = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    at = f" in {where}" if where else ""
    if code in _EXPIRED:
        return OperatorError(f"{call} was refused: the AWS credentials have expired: {SIGN_IN}")
    if code in _UNKNOWN_KEY:
        return OperatorError(f"{call} was refused: AWS does not know these credentials: {SIGN_IN}")
    if code in _WRONG_KEY:
        return OperatorError(
            f"{call} was refused: its signature is wrong: check the secret access key, and this "
            "machine's clock"
        )
    if code in _FORBIDDEN:
        return OperatorError(
            f"{call} was refused{at}: {said or code}: grant that, or name another profile with "
            "--profile"
        )
    if code in THROTTLES:
        return OperatorError(
            f"{call} was throttled{at}, again and again: {said or code}: wait until others ask "
            "less, then run the command again"
        )
    if code in _ABSENT:
        return OperatorError(
            f"{call} found nothing{at}: {said or code}: the stack's outputs say that it is there; "
            "they may be old, or another stack's: get them again (pulumi stack output --json)"
        )
    if status >= 500:
        return OperatorError(f"{call} failed{at}: {code}: {said}: run the command again later")
    return OperatorError(f"{call} was refused{at}: {code}: {said}")


def unasked(error: BotoCoreError, *, profile: str | None = None) -> OperatorError:
    """Why AWS could not even be asked: credentials, profile, configuration, or the way to it."""
    of = f" of profile {profile}" if profile else ""
    match error:
        case boto.NoCredentialsError():
            return OperatorError(f"there are no AWS credentials: {SIGN_IN}")
        case boto.PartialCredentialsError():
            return OperatorError(f"the AWS credentials{of} are incomplete: {error}: {SIGN_IN}")
        case boto.ProfileNotFound():
            return OperatorError(f"{error}: aws configure list-profiles names those that are there")
        case boto.ConfigParseError():
            return OperatorError(f"{error}: mend that file")
        case (
            boto.CredentialRetrievalError()
            | boto.SSOError()
            | boto.LoginError()
            | boto.TokenRetrievalError()
            | boto.MetadataRetrievalError()
            | boto.InvalidConfigError()
            | boto.InfiniteLoopConfigError()
        ):
            return OperatorError(f"no AWS credentials{of} were to be had: {error}: {SIGN_IN}")
        case boto.ConnectionError() | boto.HTTPClientError():
            return OperatorError(
                f"AWS cannot be reached: {error}: check network, VPN, proxy, and AWS_ENDPOINT_URL"
            )
        case _:
            return OperatorError(f"AWS could not be asked: {error}")
