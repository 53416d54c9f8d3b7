"""What the rule realtime-channel-beside-platform lets pass."""

import pulumi_aws as aws

aws.appsync.GraphQLApi(
    "catalogue",
    authentication_type="API_KEY",
    schema="type Query { products: [String] } schema { query: Query }",
)
