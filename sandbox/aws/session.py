"""Clients of the sandbox's cloud, which is on this machine or is refused."""

import ipaddress
import os
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.aws.api import Api
from sandbox.aws.errors import ProviderError

ENDPOINT: Final = "AWS_ENDPOINT_URL"

_KEY: Final = "test"
"""Both halves of the credentials: the cloud asks for some and believes any."""


class EndpointRefusedError(ProviderError):
    """There is no endpoint, or it is not on this machine."""

    def __init__(self, endpoint: str | None) -> None:
        found = f"{ENDPOINT} is {endpoint!r}" if endpoint else f"{ENDPOINT} is not set"
        super().__init__(
            f"{found}: the sandbox's AWS provider talks to a cloud on this machine and to nothing "
            "else, so that it cannot touch an account; run it through `python -m sandbox` or "
            f"`make up`, which set {ENDPOINT}, or deploy with the official plugin"
        )
        self.endpoint = endpoint


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


class Session:
    """Where the cloud is, and its clients, each made when it is first needed."""

    def __init__(
        self,
        *,
        endpoint: str | None,
        region: str,
        default_tags: Mapping[str, str],
        cancelled: threading.Event | None = None,
    ) -> None:
        self.endpoint = loopback(endpoint)
        self.region = region
        self.default_tags = dict(default_tags)
        self._cancelled = cancelled or threading.Event()
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    @property
    def authority(self) -> str:
        """Host and port of the cloud."""
        return urlsplit(self.endpoint).netloc

    @cached_property
    def account(self) -> str:
        """The account that the cloud plays."""
        return str(self.api("sts").call("get_caller_identity", {})["Account"])

    @cached_property
    def _bare(self) -> Any:
        import botocore.session

        # Each variable: name in a profile, name in the environment, default, conversion. Nothing of
        # the surroundings' profiles, files and certificates is looked at.
        return botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
                "ca_bundle": (None, None, None, None),
                "use_fips_endpoint": (None, None, False, None),
                "use_dualstack_endpoint": (None, None, False, None),
            }
        )

    def api(self, service: str, region: str | None = None) -> Any:
        """Return the calls of a service, in the provider's region unless another is given."""
        return Api(self.client(service, region), self.endpoint, self._cancelled)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a client of a service; clients may be shared by threads, making one may not."""
        from botocore.config import Config

        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._bare.create_client(
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
                        parameter_validation=True,
                    ),
                )
            return self._clients[key]
