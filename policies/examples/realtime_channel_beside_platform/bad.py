"""What the rule realtime-channel-beside-platform stops."""

import pulumi_aws as aws

aws.appsync.Api(
    "live",
    event_config={
        "auth_providers": [{"auth_type": "API_KEY"}],
        "connection_auth_modes": [{"auth_type": "API_KEY"}],
        "default_publish_auth_modes": [{"auth_type": "API_KEY"}],
        "default_subscribe_auth_modes": [{"auth_type": "API_KEY"}],
    },
)
