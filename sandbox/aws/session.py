"""Clients of the sandbox's cloud, which is on this machine or is refused."""

import ipaddress
import os
import re
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.aws.errors import CancelledError, CloudError, CloudUnreachableError, ProviderError
from sandbox.aws.shapes import fitted

ENDPOINT: Final = "AWS_ENDPOINT_URL"

_KEY: Final = "test"
"""Both halves of the credentials: the cloud asks for some and believes any."""

_GONE: Final = frozenset(
    {
        *("404", "NotFoundException", "ResourceNotFoundException", "ResourceNotFound"),
        *("NoSuchEntity", "NoSuchEntityException", "DashboardNotFoundError"),
        *("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    }
)
"""Codes by which the services say that what was asked for does not exist."""


@contextmanager
def tolerating_absence() -> Generator[None]:
    """Treat what does not exist (any more) as done."""
    try:
        yield
    except CloudError as error:
        if error.code not in _GONE:
            raise


class EndpointRefusedError(ProviderError):
    """There is no endpoint, or it is not on this machine."""

    def __init__(self, endpoint: str | None) -> None:
        found = f"{ENDPOINT} is {endpoint!r}" if endpoint else f"{ENDPOINT} is not set"
        super().__init__(
            f"{found}: the sandbox's AWS provider talks to a cloud on this machine and to nothing "
            "else, so that it cannot touch an account; run it through `python -m sandbox` or "
            f"`make up`, which set {ENDPOINT}, or deploy with the official plugin"
        )


def loopback(endpoint: str | None) -> str:
    """Return the endpoint when it is an http address of this machine; refuse every other."""
    try:
        parts = urlsplit(endpoint or "")
        host = parts.hostname or ""
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
        fit = local and parts.scheme in ("http", "https") and not parts.username and parts.port
    except ValueError:
        fit = False
    if not fit:
        raise EndpointRefusedError(endpoint)
    return str(endpoint).rstrip("/")


_making_clients: Final = threading.Lock()
"""Clients may be shared by threads, making one may not."""


@cache
def _maker_of_clients() -> Any:
    """Return what all sessions of this process share: it reads the services' models once."""
    import botocore.session

    # Each variable: name in a profile, name in the environment, default, conversion. Nothing of
    # the surroundings' profiles, files and certificates is looked at.
    told = {"config_file": os.devnull, "credentials_file": os.devnull}
    told |= {"use_fips_endpoint": False, "use_dualstack_endpoint": False}
    names = ("profile", "ca_bundle", *told)
    variables = {name: (None, None, told.get(name), None) for name in names}
    return botocore.session.Session(session_vars=variables)


class Session:
    """Where the cloud is, and its services, each with a client that is made when first needed."""

    def __init__(
        self,
        *,
        endpoint: str | None,
        region: str,
        default_tags: Mapping[str, str],
        cwd: Path | None = None,
    ) -> None:
        self.endpoint = loopback(endpoint)
        self.region = region
        self.default_tags = dict(default_tags)
        self.cwd = cwd or Path.cwd()
        """Where relative paths of archives start."""
        self.cancelled = threading.Event()
        """Set when the engine wants no more calls and no more waiting."""
        self._services: dict[tuple[str, str], Service] = {}

    @cached_property
    def account(self) -> str:
        """The account that the cloud plays."""
        return str(self.api("sts").call("get_caller_identity", {})["Account"])

    def api(self, service: str, region: str | None = None) -> "Service":
        """Return a service, in the provider's region unless another is given."""
        from botocore.config import Config

        key = (service, region or self.region)
        with _making_clients:
            if key not in self._services:
                client = _maker_of_clients().create_client(
                    service,
                    region_name=key[1],
                    endpoint_url=self.endpoint,
                    aws_access_key_id=_KEY,
                    aws_secret_access_key=_KEY,
                    config=Config(
                        connect_timeout=3,
                        read_timeout=60,
                        # A second attempt of a call that creates would meet its own first.
                        retries={"total_max_attempts": 1},
                        proxies={},
                        inject_host_prefix=False,
                        max_pool_connections=32,
                    ),
                )
                self._services[key] = Service(client, self)
            return self._services[key]


class Service:
    """A service's calls, by the client's names, in the shapes that the service's model asks for."""

    def __init__(self, client: Any, session: Session) -> None:
        self._client = client
        self._session = session

    def shape(self, method: str) -> Any:
        """Return the shape of a call's parameters in the service's model."""
        name = self._client.meta.method_to_api_mapping[method]
        return self._client.meta.service_model.operation_model(name).input_shape

    def call(self, method: str, parameters: Mapping[str, Any]) -> Any:
        """Make a call with those of the parameters that it takes."""
        from botocore import exceptions

        spoken = self._client.meta.method_to_api_mapping[method]
        if self._session.cancelled.is_set():
            raise CancelledError(f"{spoken} was not sent: the operation was cancelled")
        try:
            answer = getattr(self._client, method)(**fitted(self.shape(method), parameters))
        except exceptions.ClientError as error:
            told = error.response.get("Error", {})
            code, message = str(told.get("Code", "?")), str(told.get("Message", "?"))
            raise CloudError(spoken, code, message) from None
        except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
            raise CloudUnreachableError(
                self._session.endpoint, spoken, type(error).__name__
            ) from None
        except exceptions.BotoCoreError as error:
            # A complaint about a parameter spells its value, which may be a secret.
            reason = re.sub(r", value: .*", "", str(error))
            raise ProviderError(f"{spoken}: {reason}") from None
        for failed in answer.get("FailedEntries") or ():
            raise CloudError(spoken, str(failed.get("ErrorCode")), str(failed.get("ErrorMessage")))
        return answer
