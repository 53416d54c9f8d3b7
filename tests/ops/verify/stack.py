"""A deployed stack as an operator's command sees it, and the rows behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gateway.emulated import Emulated
from tests.gateway.shared_tables import BUSINESSES, CONNECTIONS, ORDERS, SUBSCRIPTIONS

ROOT = Path(__file__).resolve().parents[3]
TOLD_BY_TOGGLES = {"statusVersion", "updatedAt", "lastStatusUpdate"}
"""What a toggle writes on a business beside its switches; versions only ever grow."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A deployed stack and how an operator verifies it."""

    deployed: Emulated
    outputs: Mapping[str, Any]
    business: str

    @property
    def _client(self) -> Any:
        return self.deployed.cloud.client("dynamodb")

    def command(self, *options: str) -> list[str]:
        return [sys.executable, "-u", "-m", "ops", "verify", "--outputs", "-", *options]

    def token(self, name: str) -> str:
        return self.deployed.platform.token(self.deployed.cloud, name)

    def environment(self, **variables: str) -> dict[str, str]:
        return {
            **os.environ,
            "VERIFY_MERCHANT_TOKEN": self.token("merchant1"),
            "VERIFY_CUSTOMER_TOKEN": self.token("customer1"),
            **variables,
        }

    def start(self, *options: str, **variables: str) -> subprocess.Popen[str]:
        """Start verification in a session of its own, as a terminal would."""
        process = subprocess.Popen(
            self.command(*options),
            cwd=ROOT,
            env=self.environment(**variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(self.outputs))
        process.stdin.close()
        return process

    def run(
        self, *options: str, changed: Mapping[str, Any] | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Verify, with some outputs or variables other than they are."""
        done = subprocess.run(
            self.command(*options),
            cwd=ROOT,
            env=self.environment(**variables),
            input=json.dumps({**self.outputs, **(changed or {})}),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        sys.stdout.write(done.stdout + done.stderr)
        return done

    def rows(self) -> dict[str, Any]:
        """Every row of every table, without what toggles tell of themselves."""
        found: dict[str, Any] = {}
        for table in (CONNECTIONS, SUBSCRIPTIONS, ORDERS, BUSINESSES):
            for row in self._client.scan(TableName=table.name, ConsistentRead=True)["Items"]:
                said = {name: value for name, value in row.items() if name not in TOLD_BY_TOGGLES}
                found[f"{table.name}/{row[table.hash_key]['S']}"] = said
        return found

    def set_business(self, expression: str, **values: bool) -> None:
        self._client.update_item(
            TableName=BUSINESSES.name,
            Key={"businessId": {"S": self.business}},
            UpdateExpression=expression,
            **(
                {"ExpressionAttributeValues": {f":{k}": {"BOOL": v} for k, v in values.items()}}
                if values
                else {}
            ),
        )

    def is_closed(self) -> bool:
        row = self._client.get_item(
            TableName=BUSINESSES.name,
            Key={"businessId": {"S": self.business}},
            ConsistentRead=True,
        )["Item"]
        return not row["isActive"]["BOOL"]

    def has_order(self) -> bool:
        return bool(self._client.scan(TableName=ORDERS.name, ConsistentRead=True)["Items"])


def until(condition: Callable[[], bool], patience: float = 20) -> None:
    """Wait until the condition holds, or patience is over."""
    deadline = time.monotonic() + patience
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
