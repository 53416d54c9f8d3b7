"""A driver that asks the provider what an engine asks, in an engine's order."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi.provider.experimental.provider import (
    CheckRequest,
    ConfigureRequest,
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    InvokeRequest,
    ReadRequest,
    UpdateRequest,
)

from sandbox.aws.provider import AwsProvider
from sandbox.aws.values import lift, lower

SEED = bytes(range(32))


class CheckFailedError(Exception):
    def __init__(self, failures: Mapping[str, str]) -> None:
        super().__init__(str(dict(failures)))
        self.failures = dict(failures)


@dataclass
class Resource:
    urn: str
    inputs: dict[str, Any]
    id: str
    outputs: dict[str, Any] = field(default_factory=dict)


class Driver:
    """The provider without an engine: plain values in, plain values out."""

    def __init__(self, environment: Mapping[str, str], cwd: Path, **config: Any) -> None:
        self.notices: list[str] = []
        self.provider = AwsProvider(environment, cwd=cwd, notice=self.notices.append)
        self.run = asyncio.Runner().run
        if environment:
            self.configure(**config)

    def configure(self, **config: Any) -> None:
        request = ConfigureRequest({}, lift(config), accept_secrets=True, accept_resources=True)
        self.run(self.provider.configure(request))

    def urn(self, token: str, name: str) -> str:
        return f"urn:pulumi:dev::project::{token}::{name}"

    def check(
        self,
        token: str,
        name: str,
        inputs: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        request = CheckRequest(self.urn(token, name), lift(olds or {}), lift(inputs), SEED)
        response = self.run(self.provider.check(request))
        if response.failures:
            raise CheckFailedError({each.property: each.reason for each in response.failures})
        return lower(response.inputs)[0]

    def create(self, token: str, name: str = "it", /, **inputs: Any) -> Resource:
        checked = self.check(token, name, inputs)
        urn = self.urn(token, name)
        request = CreateRequest(urn, lift(checked), timeout=0, preview=False)
        response = self.run(self.provider.create(request))
        return Resource(urn, checked, response.resource_id, lower(response.properties)[0])

    def preview(self, token: str, name: str = "it", /, **inputs: Any) -> dict[str, Any]:
        checked = self.check(token, name, inputs)
        request = CreateRequest(self.urn(token, name), lift(checked), timeout=0, preview=True)
        return lower(self.run(self.provider.create(request)).properties)[0]

    def diff(
        self, resource: Resource, ignore: tuple[str, ...] = (), /, **inputs: Any
    ) -> DiffResponse:
        token, name = resource.urn.split("::")[-2:]
        checked = self.check(token, name, inputs, resource.inputs)
        request = DiffRequest(
            resource.urn, resource.id, lift(resource.outputs), lift(checked), list(ignore)
        )
        return self.run(self.provider.diff(request))

    def update(
        self, resource: Resource, *, preview: bool = False, inputs: Mapping[str, Any]
    ) -> Resource:
        token, name = resource.urn.split("::")[-2:]
        checked = self.check(token, name, inputs, resource.inputs)
        request = UpdateRequest(
            resource.urn,
            resource.id,
            lift(resource.outputs),
            lift(checked),
            timeout=0,
            ignore_changes=[],
            preview=preview,
        )
        outputs = lower(self.run(self.provider.update(request)).properties)[0]
        return Resource(resource.urn, checked, resource.id, outputs)

    def refresh(self, resource: Resource) -> Resource | None:
        request = ReadRequest(
            resource.urn, resource.id, lift(resource.outputs), lift(resource.inputs)
        )
        return self._read(resource.urn, request)

    def fetch(self, token: str, resource_id: str) -> Resource | None:
        urn = self.urn(token, "imported")
        return self._read(urn, ReadRequest(urn, resource_id, {}, {}))

    def _read(self, urn: str, request: ReadRequest) -> Resource | None:
        response = self.run(self.provider.read(request))
        if not response.resource_id:
            return None
        outputs, inputs = lower(response.properties)[0], lower(response.inputs)[0]
        return Resource(urn, inputs, response.resource_id, outputs)

    def delete(self, resource: Resource) -> None:
        request = DeleteRequest(resource.urn, resource.id, lift(resource.outputs), timeout=0)
        self.run(self.provider.delete(request))

    def invoke(self, token: str, **asked: Any) -> dict[str, Any]:
        response = self.run(self.provider.invoke(InvokeRequest(token, lift(asked))))
        if response.failures:
            raise CheckFailedError({each.property: each.reason for each in response.failures})
        return lower(response.return_value or {})[0]
