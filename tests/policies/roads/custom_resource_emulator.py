"""A CloudFormation custom resource without CloudFormation.

Found by: custom-resource-may-create-api
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other(
    "aws-native:cloudformation:CustomResourceEmulator",
    "chat",
    {"resourceType": "Custom::Gateway", "serviceToken": "arn:aws:lambda:us-east-1:1:function:x"},
)
