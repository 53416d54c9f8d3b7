"""What the rule iam-stays-within-shared-platform stops."""

import json

import pulumi_aws as aws

aws.iam.RolePolicy(
    "orders",
    role="orders",
    policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
                {
                    "Effect": "Allow",
                    "Action": "execute-api:ManageConnections",
                    "Resource": "arn:aws:execute-api:us-east-1:123456789012:*/*",
                },
            ],
        }
    ),
)
