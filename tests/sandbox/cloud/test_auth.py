"""With `auth`, a Lambda may do what its role says and nothing else, as on AWS."""

import io
import json
import zipfile

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


def _document(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _zip():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("app.py", PROGRAM)
    return held.getvalue()
