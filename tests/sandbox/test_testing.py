"""`sandbox.testing`: plan and apply in this process, isolated, policies included."""

import json
import os
import re
import subprocess
import sys
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


def test_a_folder_without_a_program_is_an_error_of_the_plan(deploy, tmp_path):
    missing = deploy(tmp_path / "nowhere")
    assert not missing.ok
    assert "no Pulumi.yaml in" in missing.errors[0]


def folder_with_queue(folder, name):
    folder.mkdir()
    folder.joinpath("Pulumi.yaml").write_text(f"name: {folder.name}\nruntime: python\n")
    folder.joinpath("__main__.py").write_text(
        f"import pulumi_aws as aws\naws.sqs.Queue('queue', name='{name}')\n"
    )
    return folder


def test_the_documented_project_passes_elsewhere_side_by_side(tmp_path):
    told = ROOT.joinpath("docs/sandbox.md").read_text().split("## In pytest")[1].split("\n## ")[0]
    conftest, tests = re.findall(r"```python\n(.*?)```", told, re.DOTALL)
    tmp_path.joinpath("conftest.py").write_text(conftest)
    for name in ("test_orders.py", "test_the_same_names.py"):
        tmp_path.joinpath(name).write_text(tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-q"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "AWS_PROFILE": "production"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr


def test_all_that_was_deployed_is_destroyed(deploy, cloud, tmp_path, unique):
    def protected():
        aws.sqs.Queue("queue", name=unique("gone-c"), opts=pulumi.ResourceOptions(protect=True))

    for folder in ("a", "b"):
        assert deploy(folder_with_queue(tmp_path / folder, unique(f"gone-{folder}"))).ok
    assert deploy(protected).ok
    deploy.destroy()
    names = [unique(f"gone-{which}") for which in "abc"]
    left = cloud.client("sqs").list_queues(QueueNamePrefix="gone-").get("QueueUrls", [])
    assert [url for url in left if url.rsplit("/")[-1] in names] == []


def test_what_cannot_be_destroyed_is_told(deploy, cloud, unique):
    def program():
        aws.iam.Role("role", name=unique("kept"), assume_role_policy=TRUST)

    assert deploy(program).ok
    name = unique("kept")
    iam = cloud.client("iam")
    iam.put_role_policy(RoleName=name, PolicyName="theirs", PolicyDocument=POLICY)
    with pytest.raises(AssertionError, match="DeleteConflict"):
        deploy.destroy()
    iam.delete_role_policy(RoleName=name, PolicyName="theirs")


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
