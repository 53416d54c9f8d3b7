"""A Terraform module, whose resources are seen at the end only.

Found by: no-opaque-product
"""

import pulumi


class Module(pulumi.ComponentResource):
    """A module of Terraform, as its generated package registers it."""


Module("chat:index:Module", "chat")
