"""One stack's migration: both sides, the journal, and how to look, to change and to check."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from ops.deployed import Deployed
from ops.errors import OperatorError, code_of
from ops.migrate.change_set import Wanted, Way, change, rehearse
from ops.migrate.drain import OldConnections
from ops.migrate.journal import JournalStore
from ops.migrate.legacy import LegacyStack, read, shared_streams
from ops.migrate.screen import Screen


class CheckError(OperatorError):
    """A step was tried, and its check does not hold: exit status 1."""

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Migration:
    """What the steps work with."""

    deployed: Deployed
    stack: str
    profile: str | None
    store: JournalStore
    screen: Screen
    verified: Callable[[], bool]
    """Runs verification of the shared side, and says whether every step passed."""
    template_bucket: str | None = None
    """Where a template goes that is too large to be given inline."""
    leave_clients: bool = False
    """Whether the old API may be retired while clients are on it."""

    def client(self, service: str) -> Any:
        """An AWS client of the account that both sides are in."""
        return self.deployed.client(service, profile=self.profile)

    def legacy(self) -> LegacyStack:
        """The legacy stack as it stands now."""
        streams = shared_streams(self.client("lambda"), self.deployed)
        return read(self.client, self.stack, streams, where=str(self.deployed.place))

    def change(self, legacy: LegacyStack, wanted: Wanted) -> bool:
        """Bring the stack, as it was read, to what is wanted; returns whether that changed it."""
        way = Way(
            client=self.client("cloudformation"),
            show=self.screen.say,
            upload=self._upload if self.template_bucket else None,
            counting=lambda: self.screen.counting("resources updated"),
        )
        return change(way, legacy, wanted)

    def rehearse(self, legacy: LegacyStack, wanted: Wanted) -> None:
        """Have CloudFormation work a change out, and throw it away."""
        way = Way(
            client=self.client("cloudformation"),
            show=lambda _: None,
            upload=self._upload if self.template_bucket else None,
        )
        rehearse(way, legacy, wanted)

    def table(self, legacy: LegacyStack) -> str | None:
        """The old connections table; None where there is none, or somebody deleted it by hand."""
        name = legacy.table()
        if name is not None and self._is_there("dynamodb", "describe_table", TableName=name):
            return name
        return None

    def old_connections(self, legacy: LegacyStack) -> OldConnections | None:
        """The old API's connections; None where the API is gone.

        Raises CheckError where nobody can tell who is on it.
        """
        api, table = legacy.api_id(), self.table(legacy)
        if api is None or not self._is_there("apigatewayv2", "get_api", ApiId=api):
            return None
        if table is None:
            raise CheckError(
                f"{legacy.name} has the API {api} and no connections table, so nobody can tell who "
                "is on it, or ask them to move: --leave-clients retires it all the same"
            )
        return OldConnections(
            dynamodb=self.client("dynamodb"), management=self._management(legacy, api), table=table
        )

    def _is_there(self, service: str, call: str, **what: str) -> bool:
        try:
            getattr(self.client(service), call)(**what)
        except ClientError as error:
            if code_of(error) in {"NotFoundException", "ResourceNotFoundException"}:
                return False
            raise
        return True

    def _management(self, legacy: LegacyStack, api: str) -> Any:
        """A client of the retired API's @connections, beside the shared one's in the same place."""
        sandbox = self.deployed.sandbox
        if sandbox is not None:
            endpoint = f"{sandbox.endpoint}/_aws/execute-api/{api}/{legacy.stage()}"
        else:
            shared = urlsplit(self.deployed.management_endpoint)
            host = shared.netloc.replace(self.deployed.api_id, api)
            endpoint = f"https://{host}/{legacy.stage()}"
        return self.deployed.client(
            "apigatewaymanagementapi", profile=self.profile, endpoint=endpoint
        )

    def _upload(self, body: str) -> str:
        """Put a template into the bucket, and give the URL that CloudFormation reads it from."""
        client = self.client("s3")
        key = f"{self.stack}/{hashlib.sha256(body.encode()).hexdigest()[:16]}.template"
        client.put_object(Bucket=self.template_bucket, Key=key, Body=body.encode())
        return f"{client.meta.endpoint_url}/{self.template_bucket}/{key}"
