"""The tables of one test, and the command run on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.__main__ import ops
from sandbox.cloud import Cloud
from tests.gateway.tables import Tables
from tests.ops.repair.rows import BUSINESS, OWNER


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The shared tables, in which one business has an owner, and a deployed stack's outputs."""

    tables: Tables
    outputs: Path
    folder: Path
    document: dict[str, Any]

    @property
    def journal(self) -> Path:
        """Where a repair that writes keeps its place."""
        return self.folder / "journal.jsonl"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command, as fast as it can be."""
        return (
            *("repair", "--outputs", str(self.outputs), "--journal", str(self.journal)),
            *("--businesses-table", self.tables.businesses.name, "--rate", "1000000"),
        )

    def run(self, *options: str) -> Result:
        """Run the command in this process."""
        return CliRunner().invoke(ops, [*self.arguments, *options])

    def report(self, *options: str) -> dict[str, Any]:
        """What the command reports when it came to the end."""
        result = self.run("--json", *options)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def contents(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Everything in both tables, in the order of the keys."""
        connections, subscriptions = self.tables.connections, self.tables.subscriptions
        return (
            sorted(connections.rows(), key=lambda row: row["connectionId"]),
            sorted(subscriptions.rows(), key=lambda row: row["subscriptionId"]),
        )


@pytest.fixture
def shop(cloud: Cloud, tmp_path: Path) -> Iterator[Shop]:
    tables = Tables.create(cloud)
    tables.businesses.put({"businessId": BUSINESS, "ownerId": OWNER})
    document = {
        "sharedWebSocketApiId": "api",
        "webSocketUrl": "ws://127.0.0.1/api/sandbox",
        "managementEndpoint": "http://127.0.0.1/api/sandbox",
        "connectionsTable": tables.connections.name,
        "subscriptionsTable": tables.subscriptions.name,
        "sandbox": {"endpoint": cloud.endpoint, "region": cloud.region, "users": []},
    }
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(document), encoding="utf-8")
    yield Shop(tables=tables, outputs=outputs, folder=tmp_path, document=document)
    tables.drop()
