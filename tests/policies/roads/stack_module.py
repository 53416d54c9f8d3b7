"""A module of the registry.

Found by: no-opaque-template
"""

import pulumi_aws as aws

TEMPLATE = """
Resources:
  Chat: {Type: Acme::Gateway::Chat::MODULE}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
