"""What the rule no-dynamic-provider lets pass."""

import pulumi_aws as aws

aws.ssm.Parameter("greeting", type="String", value="hello")
