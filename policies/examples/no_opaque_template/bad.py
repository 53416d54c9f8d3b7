"""What the rule no-opaque-template stops."""

import pulumi_aws as aws

aws.cloudformation.Stack("legacy", template_url="https://templates.example.com/chat.yaml")
