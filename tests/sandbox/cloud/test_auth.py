"""With `auth`, a Lambda may do what its role says and nothing else, as on AWS."""

import io
import json
import zipfile

import boto3
import pytest
from botocore.exceptions import ClientError

PROGRAM = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    sqs = boto3.client("sqs")
    seen = {}
    for name in ("get_queue_attributes", "purge_queue"):
        try:
            getattr(sqs, name)(QueueUrl=event["url"])
            seen[name] = "allowed"
        except ClientError as error:
            seen[name] = error.response["Error"]["Code"]
    return seen
"""


def test_a_role_is_all_that_a_lambda_may_do(auth_cloud, unique):
    sqs, iam, functions = (auth_cloud.client(name) for name in ("sqs", "iam", "lambda"))
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    allowed = {
        "Effect": "Allow",
        "Action": "sqs:GetQueueAttributes",
        "Resource": arn["QueueArn"],
    }
    role = iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=_document([]))
    iam.put_role_policy(
        RoleName=unique("role"), PolicyName="own", PolicyDocument=_document([allowed])
    )
    functions.create_function(
        FunctionName=unique("function"),
        Runtime="python3.11",
        Handler="app.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": _zip()},
        Timeout=30,
    )
    answer = functions.invoke(
        FunctionName=unique("function"), Payload=json.dumps({"url": url}).encode()
    )
    seen = json.loads(answer["Payload"].read())
    assert seen["get_queue_attributes"] == "allowed"
    assert "AccessDenied" in seen["purge_queue"]


@pytest.mark.parametrize(
    "keys",
    [
        {"aws_access_key_id": "test", "aws_secret_access_key": "test"},
        {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "anything"},
        {"aws_access_key_id": "x", "aws_secret_access_key": "y", "aws_session_token": "z"},
    ],
)
def test_whoever_is_no_role_is_let_in_with_any_key(auth_cloud, keys):
    sqs = boto3.client(
        "sqs", endpoint_url=auth_cloud.endpoint, region_name=auth_cloud.region, **keys
    )
    assert sqs.list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_iam_users_key_is_held_to_its_policies(auth_cloud, unique):
    iam = auth_cloud.client("iam")
    iam.create_user(UserName=unique("user"))
    key = iam.create_access_key(UserName=unique("user"))["AccessKey"]
    for secret in (key["SecretAccessKey"], "wrong"):
        sqs = boto3.client(
            "sqs",
            endpoint_url=auth_cloud.endpoint,
            region_name=auth_cloud.region,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=secret,
        )
        with pytest.raises(ClientError):
            sqs.list_queues()


def _document(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _zip():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("app.py", PROGRAM)
    return held.getvalue()
