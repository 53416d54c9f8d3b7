"""A template that is kept elsewhere.

Found by: no-opaque-template
"""

import pulumi_aws as aws

aws.cloudformation.Stack("chat", template_url="https://templates.example.com/chat.yaml")
