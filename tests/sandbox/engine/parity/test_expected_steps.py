"""The built-in engine takes the steps that the Pulumi CLI took, for every program in `programs`."""

import json

import pytest
from demo_provider import Demo
from harness import play, scenarios

from sandbox.engine import BuiltinEngine
from sandbox.engine.plugins import Plugin
from sandbox.stack import Op

DELETES = {Op.DELETE, Op.DELETE_REPLACED, Op.DISCARD, Op.DISCARD_REPLACED}
BESIDE = {Op.REPLACE, Op.REMOVE_PENDING_REPLACE, Op.REFRESH}


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_the_built_in_engine_takes_the_steps_that_the_cli_took(scenario, tmp_path):
    engine = BuiltinEngine({"demo": Plugin(servicer=lambda: Demo(tmp_path / "cloud"))})
    records = play(InOrder(engine), scenario, tmp_path)
    assert records == json.loads(scenario.expected.read_text())


class InOrder:
    """An engine of which every up and destroy is held to the edges of the state."""

    def __init__(self, engine):
        self.engine = engine

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def up(self, stack, request):
        return self.watched(self.engine.up, stack, request)

    def destroy(self, stack, request):
        return self.watched(self.engine.destroy, stack, request)

    def watched(self, operation, stack, request):
        before = edges(self.engine.export(stack))
        result = operation(stack, request)
        after = edges(self.engine.export(stack))
        done, gone = {}, {}
        for at, step in enumerate(result.steps):
            if step.op not in BESIDE:
                (gone if step.op in DELETES else done)[step.urn] = at
        for urn, needed in after.items():
            for other in needed & done.keys():
                assert done[other] < done.get(urn, len(result.steps)), f"{urn} before {other}"
        for urn, needed in before.items():
            for other in needed & gone.keys():
                assert gone.get(urn, -1) < gone[other], f"{other} deleted before {urn}"
        return result


def edges(exported):
    found = {}
    for resource in exported["deployment"].get("resources") or ():
        needed = {resource.get("parent"), *resource.get("dependencies", ())}
        needed.update(*resource.get("propertyDependencies", {}).values())
        found[resource["urn"]] = needed - {None}
    return found
