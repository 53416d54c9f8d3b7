"""`sandbox.testing`: plan and apply in this process, isolated, policies included."""

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest

from sandbox.home import ROOT

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}],
    }
)


def five(unique, visibility=30):
    def program():
        dead = aws.sqs.Queue("dead", name=unique("dead"))
        queue = aws.sqs.Queue("queue", name=unique("queue"), visibility_timeout_seconds=visibility)
        group = aws.cloudwatch.LogGroup("group", name=unique("group"))
        role = aws.iam.Role("role", name=unique("role"), assume_role_policy=TRUST)
        aws.iam.RolePolicy("policy", role=role.name, policy=POLICY)
        pulumi.export("url", queue.url)
        pulumi.export("names", [dead.name, group.name])

    return program


def test_a_function_is_planned_and_deployed(deploy, cloud, unique):
    deployed = deploy(five(unique))
    assert deployed.errors == ()
    assert deployed.plan.summary["create"] == 6
    assert deployed.outputs["names"] == [unique("dead"), unique("group")]
    cloud.client("sqs").send_message(QueueUrl=deployed.outputs["url"], MessageBody="hello")
    types = {resource["type"] for resource in deployed.resources}
    assert "aws:sqs/queue:Queue" in types


def test_the_same_program_again_changes_nothing_and_a_changed_one_just_that(deploy, unique):
    assert deploy(five(unique)).ok
    assert deploy(five(unique)).done.changes == ()
    changed = deploy(five(unique, visibility=60))
    assert [(step.name, step.changed) for step in changed.done.changes] == [
        ("queue", ("visibilityTimeoutSeconds",))
    ]


def test_settings_reach_the_program(deploy):
    def program():
        pulumi.export("greeting", pulumi.Config().require("greeting"))

    assert deploy(program, {"greeting": "hello"}).outputs == {"greeting": "hello"}


def test_a_violated_policy_stops_the_plan(deploy, cloud):
    def program():
        aws.apigatewayv2.Api("mine", protocol_type="WEBSOCKET", route_selection_expression="$x")

    before = cloud.client("apigatewayv2").get_apis()["Items"]
    refused = deploy(program, policy_pack=ROOT / "policies")
    assert not refused.ok
    assert refused.done is None
    assert [f.rule for f in refused.findings if f.level == "mandatory"] == [
        "no-standalone-websocket-api"
    ]
    assert cloud.client("apigatewayv2").get_apis()["Items"] == before


def test_a_folder_is_a_program_too(deploy, tmp_path, unique):
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.joinpath("Pulumi.yaml").write_text("name: folder\nruntime: python\n")
    folder.joinpath("__main__.py").write_text("import pulumi\npulumi.export('here', 1)\n")
    assert deploy(Path(folder)).outputs == {"here": 1}


def test_an_error_of_the_cloud_is_told_by_resource(deploy, unique):
    def program():
        aws.iam.RolePolicy("policy", role=unique("nobody"), policy=POLICY)

    failed = deploy(program)
    assert not failed.ok
    assert failed.plan.ok
    assert any(unique("nobody") in error for error in failed.errors)


@pytest.mark.parametrize("turn", [1, 2])
def test_one_test_leaves_nothing_for_the_next(deploy, cloud, turn):
    queues = cloud.client("sqs").list_queues(QueueNamePrefix="left-over").get("QueueUrls", [])
    assert queues == []
    assert deploy(lambda: aws.sqs.Queue("queue", name="left-over") and None).ok
