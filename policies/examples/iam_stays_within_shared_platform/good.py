"""What the rule iam-stays-within-shared-platform lets pass."""

import json

import pulumi_aws as aws

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/WizzUser_websocket_connections_dev"
API = "arn:aws:execute-api:us-east-1:123456789012:lwk0wf6rpl"

aws.iam.RolePolicy(
    "orders",
    role="orders",
    policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["dynamodb:GetItem", "dynamodb:Query"],
                    "Resource": [TABLE, f"{TABLE}/index/userId-connectedAt-index"],
                },
                {
                    "Effect": "Allow",
                    "Action": "execute-api:ManageConnections",
                    "Resource": f"{API}/dev/POST/@connections/*",
                },
            ],
        }
    ),
)
