"""Ordinary stacks give no alarm: neither a mandatory one nor an advisory one."""

from pathlib import Path

import pytest

from policies.server import Analyzer
from tests.policies.running import ask, registrations

STACKS = sorted(Path(__file__).with_name("ordinary").glob("*.py"))


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_an_ordinary_stack_gives_no_alarm(stack, preview):
    found = ask(Analyzer(), registrations(stack, preview=preview))
    assert [diagnostic.message for diagnostic in found] == []


def test_the_second_preview_of_an_http_api_knows_its_ids_and_gives_no_alarm():
    registered = [
        {
            "type": "aws:apigatewayv2/stage:Stage",
            "name": "live",
            "urn": "urn:live",
            "inputs": {"apiId": "abcdefghij", "name": "$default"},
        },
        {
            "type": "aws:apigatewayv2/route:Route",
            "name": "all",
            "urn": "urn:all",
            "inputs": {"apiId": "abcdefghij", "routeKey": "$default"},
        },
    ]
    assert ask(Analyzer(), registered) == []
