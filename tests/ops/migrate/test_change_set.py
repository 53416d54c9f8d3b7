"""A change set: refused, empty, surprising, or ended badly; each told apart."""

from __future__ import annotations

from typing import Any

import pytest

from ops.errors import OperatorError
from ops.migrate import change_set, update
from ops.migrate.change_set import (
    BODY_LIMIT,
    Wanted,
    Way,
    change,
    compact,
    parameters_of,
    rehearse,
)
from ops.migrate.legacy import LegacyStack
from ops.migrate.retired import find_legacy
from ops.migrate.update import await_settled

TEMPLATE: dict[str, Any] = {"Parameters": {"Stage": {}, "New": {}}, "Resources": {}}


class CloudFormation:
    """CloudFormation as far as a change set goes; notes what was asked of it."""

    def __init__(self, described: dict[str, Any], *states: str) -> None:
        self.described = described
        self.states = [*(states or ["UPDATE_COMPLETE"])]
        self.asked: list[str] = []
        self.parameters: list[dict[str, Any]] = []
        self.left_behind: list[str] = []

    def get_paginator(self, call: str) -> Any:
        assert call == "list_change_sets"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Summaries": [{"ChangeSetName": name} for name in self.left_behind]}]

    def create_change_set(self, **given: Any) -> None:
        self.asked.append("create")
        self.parameters = given["Parameters"]

    def describe_change_set(self, **_: Any) -> dict[str, Any]:
        return self.described

    def delete_change_set(self, **_: Any) -> None:
        self.asked.append("delete")

    def execute_change_set(self, **_: Any) -> None:
        self.asked.append("execute")

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        if "execute" not in self.asked:
            return {"Stacks": [{"StackStatus": self.states[0], "LastUpdatedTime": 1}]}
        status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"Stacks": [{"StackStatus": status, "LastUpdatedTime": 2}]}

    def describe_stack_events(self, **_: Any) -> dict[str, Any]:
        failed = {
            "LogicalResourceId": "Exported",
            "ResourceStatus": "UPDATE_FAILED",
            "ResourceStatusReason": "Export old:url is still imported by customers-stack",
        }
        return {"StackEvents": [failed]}


def _legacy() -> LegacyStack:
    return LegacyStack(
        name="old",
        status="UPDATE_COMPLETE",
        template_text="{}",
        template=TEMPLATE,
        parameters={"Stage": "dev", "Gone": "x"},
        tags=(),
        resolved={},
        exports={},
        physical={},
        types={},
        retired=find_legacy(TEMPLATE),
        removals=frozenset(),
    )


def _change(client: CloudFormation, template: dict[str, Any] = TEMPLATE, *allowed: str) -> bool:
    return change(Way(client=client, show=lambda _: None), _legacy(), _wanted(template, *allowed))


def _wanted(template: dict[str, Any] = TEMPLATE, *allowed: str) -> Wanted:
    return Wanted(
        step="retire",
        body=compact(template),
        parameters=parameters_of(template, _legacy(), {}),
        allowed=frozenset(allowed),
    )


def _removal(name: str, **more: Any) -> dict[str, Any]:
    resource = {"Action": "Remove", "LogicalResourceId": name, "ResourceType": "T"} | more
    return {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": resource}]}


@pytest.fixture(autouse=True)
def _quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_set, "POLL_SECONDS", 0)
    monkeypatch.setattr(update, "POLL_SECONDS", 0)


def test_parameters_that_the_stack_has_keep_their_values_and_others_take_their_defaults() -> None:
    client = CloudFormation({"Status": "CREATE_COMPLETE", "Changes": []})
    assert _change(client)
    assert client.parameters == [{"ParameterKey": "Stage", "UsePreviousValue": True}]


def test_a_parameter_that_has_another_value_than_it_must_is_given_it() -> None:
    template = {"Parameters": {"Stage": {}, "New": {}, "Other": {}}}
    given = parameters_of(template, _legacy(), {"Stage": "prod", "New": "n"})
    assert given == (
        {"ParameterKey": "Stage", "ParameterValue": "prod"},
        {"ParameterKey": "New", "ParameterValue": "n"},
    )
    (kept,) = parameters_of({"Parameters": {"Stage": {}}}, _legacy(), {"Stage": "dev"})
    assert kept == {"ParameterKey": "Stage", "UsePreviousValue": True}


def test_a_change_set_that_a_kill_left_behind_is_deleted_first_and_others_are_not() -> None:
    client = CloudFormation({"Status": "CREATE_COMPLETE", "Changes": []})
    client.left_behind = ["shared-websocket-retire-1", "somebody-elses"]
    assert _change(client)
    assert client.asked == ["delete", "create", "execute"]


def test_a_rehearsal_executes_nothing_and_leaves_nothing_behind() -> None:
    client = CloudFormation(_removal("WebSocketApi"))
    rehearse(Way(client=client, show=lambda _: None), _legacy(), _wanted(TEMPLATE, "WebSocketApi"))
    assert client.asked == ["create", "delete"]


def test_an_update_is_over_when_its_deletions_are() -> None:
    states = ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE")
    client = CloudFormation(_removal("WebSocketApi"), *states)
    assert _change(client, TEMPLATE, "WebSocketApi")
    assert client.states == ["UPDATE_COMPLETE"]


def test_an_update_that_somebody_began_is_waited_for() -> None:
    client = CloudFormation({}, "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    client.asked.append("execute")
    said: list[str] = []
    await_settled(client, "old", said.append)
    assert said == ["  old is UPDATE_IN_PROGRESS: waiting for it"]


def test_an_empty_change_set_is_nothing_to_do() -> None:
    reason = "The submitted information didn't contain changes."
    client = CloudFormation({"Status": "FAILED", "StatusReason": reason})
    assert not _change(client)
    assert client.asked == ["create", "delete"]


def test_a_refused_change_set_says_why_and_is_not_executed() -> None:
    client = CloudFormation({"Status": "FAILED", "StatusReason": "no permission for the macro"})
    with pytest.raises(OperatorError, match="no permission for the macro"):
        _change(client)
    assert "execute" not in client.asked


def test_a_removal_that_was_not_confirmed_is_not_executed() -> None:
    client = CloudFormation(_removal("Orders"))
    with pytest.raises(OperatorError, match="Orders"):
        _change(client, TEMPLATE, "WebSocketApi")
    assert client.asked == ["create", "delete"]


def test_a_certain_replacement_counts_as_a_loss() -> None:
    client = CloudFormation(_removal("Orders", Action="Modify", Replacement="True"))
    with pytest.raises(OperatorError, match="Orders"):
        _change(client)


def test_a_resource_whose_reference_is_modified_in_place_is_not_lost() -> None:
    changed = _removal(
        "Route",
        Action="Modify",
        Replacement="Conditional",
        Details=[{"Evaluation": "Dynamic"}],
    )
    assert _change(CloudFormation(changed))


def test_an_update_that_ends_badly_names_the_resource_and_the_reason() -> None:
    client = CloudFormation(_removal("WebSocketApi"), "UPDATE_ROLLBACK_COMPLETE")
    with pytest.raises(OperatorError, match="still imported by customers-stack"):
        _change(client, TEMPLATE, "WebSocketApi")


def test_a_template_over_the_limit_without_a_bucket_is_refused_before_anything_is_asked() -> None:
    client = CloudFormation({})
    with pytest.raises(OperatorError, match=str(BODY_LIMIT)):
        _change(client, TEMPLATE | {"Metadata": "x" * BODY_LIMIT})
    assert client.asked == []
