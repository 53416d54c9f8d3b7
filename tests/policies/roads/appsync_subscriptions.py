"""GraphQL subscriptions.

Found by: realtime-channel-beside-platform
"""

import pulumi_aws as aws

aws.appsync.GraphQLApi(
    "live",
    authentication_type="API_KEY",
    schema="type Query { a: Int } type Subscription { a: Int }",
)
