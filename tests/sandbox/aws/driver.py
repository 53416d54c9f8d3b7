"""A driver that asks the provider what an engine asks, in an engine's order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.aws.provider import AwsProvider
from sandbox.aws.values import ARCHIVE, ASSET, SIGNATURE, lift, lower

SEED = bytes(range(32))


def archive(**contents: Any) -> dict[str, Any]:
    return {SIGNATURE: ARCHIVE, **contents}


def asset(**contents: Any) -> dict[str, Any]:
    return {SIGNATURE: ASSET, **contents}


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
        self.provider = AwsProvider(environment, cwd=cwd)
        if environment:
            self.configure(**config)

    def configure(self, **config: Any) -> None:
        self.provider.configure(pb.ConfigureRequest(args=lift(config)))

    def urn(self, token: str, name: str) -> str:
        return f"urn:pulumi:dev::project::{token}::{name}"

    def check(
        self,
        token: str,
        name: str,
        inputs: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        request = pb.CheckRequest(
            urn=self.urn(token, name), olds=lift(olds or {}), news=lift(inputs), randomSeed=SEED
        )
        response = self.provider.check(request)
        if response.failures:
            raise CheckFailedError({each.property: each.reason for each in response.failures})
        return lower(response.inputs)[0]

    def create(self, token: str, name: str = "it", /, **inputs: Any) -> Resource:
        checked = self.check(token, name, inputs)
        urn = self.urn(token, name)
        response = self.provider.create(pb.CreateRequest(urn=urn, properties=lift(checked)))
        return Resource(urn, checked, response.id, lower(response.properties)[0])

    def preview(self, token: str, name: str = "it", /, **inputs: Any) -> dict[str, Any]:
        checked = lift(self.check(token, name, inputs))
        request = pb.CreateRequest(urn=self.urn(token, name), properties=checked, preview=True)
        return lower(self.provider.create(request).properties)[0]

    def diff(
        self, resource: Resource, ignore: tuple[str, ...] = (), /, **inputs: Any
    ) -> pb.DiffResponse:
        token, name = resource.urn.split("::")[-2:]
        checked = self.check(token, name, inputs, resource.inputs)
        return self.provider.diff(
            pb.DiffRequest(
                urn=resource.urn,
                id=resource.id,
                olds=lift(resource.outputs),
                news=lift(checked),
                ignoreChanges=ignore,
            )
        )

    def update(
        self, resource: Resource, *, preview: bool = False, inputs: Mapping[str, Any]
    ) -> Resource:
        token, name = resource.urn.split("::")[-2:]
        checked = self.check(token, name, inputs, resource.inputs)
        request = pb.UpdateRequest(
            urn=resource.urn,
            id=resource.id,
            olds=lift(resource.outputs),
            news=lift(checked),
            preview=preview,
        )
        outputs = lower(self.provider.update(request).properties)[0]
        return Resource(resource.urn, checked, resource.id, outputs)

    def refresh(self, resource: Resource) -> Resource | None:
        return self._read(resource.urn, resource.id, resource.outputs, resource.inputs)

    def fetch(self, token: str, resource_id: str) -> Resource | None:
        return self._read(self.urn(token, "imported"), resource_id, {}, {})

    def _read(self, urn: str, resource_id: str, state: Any, inputs: Any) -> Resource | None:
        response = self.provider.read(
            pb.ReadRequest(urn=urn, id=resource_id, properties=lift(state), inputs=lift(inputs))
        )
        if not response.id:
            return None
        outputs, inputs = lower(response.properties)[0], lower(response.inputs)[0]
        return Resource(urn, inputs, response.id, outputs)

    def delete(self, resource: Resource) -> None:
        self.provider.delete(
            pb.DeleteRequest(urn=resource.urn, id=resource.id, properties=lift(resource.outputs))
        )

    def invoke(self, token: str, **asked: Any) -> dict[str, Any]:
        response = self.provider.invoke(pb.InvokeRequest(tok=token, args=lift(asked)))
        if response.failures:
            raise CheckFailedError({each.property: each.reason for each in response.failures})
        return lower(getattr(response, "return"))[0]
