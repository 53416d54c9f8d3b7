"""What a new container imports before its first message."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

HEAVY = {
    "jwt": "only REGISTER_CONNECTION with a token verifies one",
    "cryptography": "only REGISTER_CONNECTION with a token verifies one",
    "boto3": "botocore is enough",
    "pydantic": "msgspec validates",
    "aws_lambda_powertools": "log lines and metrics need no library",
    "asyncio": "only posts need an event loop",
    "lambdas.delivery": "only order_message posts",
    "lambdas.events": "only toggles and order_message tell others of anything",
    "lambdas.reference": "documents are not made at run time",
    "concurrent.futures": "only a toggle with very many devices needs threads",
}


@pytest.fixture(scope="module")
def imported() -> set[str]:
    program = "import sys, lambdas.websocket; print(*sys.modules, sep='\\n')"
    answer = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return set(answer.stdout.split())


@pytest.mark.parametrize("module", HEAVY)
def test_nothing_is_imported_that_only_some_messages_need(imported: set[str], module: str) -> None:
    assert module not in imported, HEAVY[module]
