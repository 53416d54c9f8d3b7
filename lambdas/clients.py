"""The AWS clients that the Lambdas share: made when first asked for, kept as long as the container.

Time-outs are short: a Lambda that waits a minute for DynamoDB has already lost its caller. botocore
is used without boto3 on top, which would add to every cold start and give nothing in return.
"""

import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient


def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client."""
    return cast("DynamoDBClient", _kept("dynamodb", _endpoint("DYNAMODB")))


def sqs() -> "SQSClient":
    """The SQS client."""
    return cast("SQSClient", _kept("sqs", _endpoint("SQS")))


def functions() -> "LambdaClient":
    """The Lambda client: for those that served a route before, and may take their time."""
    return cast("LambdaClient", _client("lambda", _endpoint("LAMBDA"), 20))


_making: Final = threading.Lock()


@cache
def session() -> "Session":
    """The botocore session that gives every client, and the signer of posts, its credentials."""
    from botocore.session import Session

    return Session()


def region() -> str:
    """The Region that this Lambda runs in."""
    return os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]


def _endpoint(service: str) -> str | None:
    """The address that the environment gives in place of AWS's own; None is AWS."""
    return os.environ.get(f"AWS_ENDPOINT_URL_{service}") or os.environ.get("AWS_ENDPOINT_URL")


def _kept(service: str, endpoint: str | None) -> object:
    # Using a client is safe in threads, making one is not.
    with _making:
        return _client(service, endpoint)


@cache
def _client(service: str, endpoint: str | None, read_timeout: int = 3) -> object:
    # The endpoint is part of the key: a process that is pointed elsewhere gets another client.
    from botocore.config import Config

    return session().create_client(  # pyright: ignore[reportUnknownMemberType]
        service,
        region_name=region(),
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=1,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": 3},
            tcp_keepalive=True,
        ),
    )
