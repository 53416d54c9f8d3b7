"""What a type token means: one kind for every provider's name of the same thing.

A kind is the CloudFormation type where there is one. The same API Gateway stage is
`aws:apigatewayv2/stage:Stage` (classic provider), `aws-native:apigatewayv2:Stage`,
`AWS::ApiGatewayV2::Stage` (templates), `aws_apigatewayv2_stage` (Terraform),
`<package>:index/apigatewayv2Stage:Apigatewayv2Stage` (a bridged Terraform provider) and
`<package>:tf:aws_apigatewayv2_stage` (a resource of a Terraform module).
"""

import re
from typing import Final

API: Final = "AWS::ApiGatewayV2::Api"
STAGE: Final = "AWS::ApiGatewayV2::Stage"
DEPLOYMENT: Final = "AWS::ApiGatewayV2::Deployment"
API_MAPPING: Final = "AWS::ApiGatewayV2::ApiMapping"
AUTHORIZER: Final = "AWS::ApiGatewayV2::Authorizer"
ROUTE: Final = "AWS::ApiGatewayV2::Route"
INTEGRATION: Final = "AWS::ApiGatewayV2::Integration"
MANAGED_OVERRIDES: Final = "AWS::ApiGatewayV2::ApiGatewayManagedOverrides"
TABLE: Final = "AWS::DynamoDB::Table"
GLOBAL_TABLE: Final = "AWS::DynamoDB::GlobalTable"
ROLE: Final = "AWS::IAM::Role"
POLICY: Final = "AWS::IAM::ManagedPolicy"
INLINE_POLICY: Final = "AWS::IAM::Policy"
ROLE_POLICY: Final = "AWS::IAM::RolePolicy"
USER_POLICY: Final = "AWS::IAM::UserPolicy"
GROUP_POLICY: Final = "AWS::IAM::GroupPolicy"
ATTACHMENT: Final = "IAM policy attachment"
FUNCTION: Final = "AWS::Lambda::Function"
PERMISSION: Final = "AWS::Lambda::Permission"
EVENT_SOURCE: Final = "AWS::Lambda::EventSourceMapping"
INVOKE_CONFIG: Final = "AWS::Lambda::EventInvokeConfig"
EVENT_TARGET: Final = "EventBridge target"
EVENT_RULE: Final = "AWS::Events::Rule"
LOG_GROUP: Final = "AWS::Logs::LogGroup"
STACK: Final = "AWS::CloudFormation::Stack"
STACK_SET: Final = "AWS::CloudFormation::StackSet"
CLOUD_CONTROL: Final = "Cloud Control resource"
EXTENSION: Final = "aws-native extension resource"
CUSTOM_RESOURCE: Final = "CloudFormation custom resource"
SERVERLESS_APPLICATION: Final = "serverless application"
PRODUCT: Final = "AWS::ServiceCatalog::CloudFormationProvisionedProduct"
EVENT_API: Final = "AWS::AppSync::Api"
GRAPHQL_API: Final = "AWS::AppSync::GraphQLApi"
GRAPHQL_SCHEMA: Final = "AWS::AppSync::GraphQLSchema"
IOT_DOMAIN: Final = "AWS::IoT::DomainConfiguration"
SAM_WEBSOCKET_API: Final = "AWS::Serverless::WebSocketApi"
COMMAND: Final = "command"
DYNAMIC: Final = "dynamic provider"
TERRAFORM_MODULE: Final = "Terraform module"
KUBERNETES_OBJECT: Final = "Kubernetes object of a cloud controller"

# kind, token of the classic provider, type in Terraform
_NAMES: Final = (
    (API, "aws:apigatewayv2/api:Api", "aws_apigatewayv2_api"),
    (STAGE, "aws:apigatewayv2/stage:Stage", "aws_apigatewayv2_stage"),
    (DEPLOYMENT, "aws:apigatewayv2/deployment:Deployment", "aws_apigatewayv2_deployment"),
    (API_MAPPING, "aws:apigatewayv2/apiMapping:ApiMapping", "aws_apigatewayv2_api_mapping"),
    (AUTHORIZER, "aws:apigatewayv2/authorizer:Authorizer", "aws_apigatewayv2_authorizer"),
    (ROUTE, "aws:apigatewayv2/route:Route", "aws_apigatewayv2_route"),
    (INTEGRATION, "aws:apigatewayv2/integration:Integration", "aws_apigatewayv2_integration"),
    (TABLE, "aws:dynamodb/table:Table", "aws_dynamodb_table"),
    (GLOBAL_TABLE, "aws:dynamodb/globalTable:GlobalTable", "aws_dynamodb_global_table"),
    (ROLE, "aws:iam/role:Role", "aws_iam_role"),
    (POLICY, "aws:iam/policy:Policy", "aws_iam_policy"),
    (ROLE_POLICY, "aws:iam/rolePolicy:RolePolicy", "aws_iam_role_policy"),
    (USER_POLICY, "aws:iam/userPolicy:UserPolicy", "aws_iam_user_policy"),
    (GROUP_POLICY, "aws:iam/groupPolicy:GroupPolicy", "aws_iam_group_policy"),
    (
        ATTACHMENT,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws_iam_role_policy_attachment",
    ),
    (
        ATTACHMENT,
        "aws:iam/userPolicyAttachment:UserPolicyAttachment",
        "aws_iam_user_policy_attachment",
    ),
    (
        ATTACHMENT,
        "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
        "aws_iam_group_policy_attachment",
    ),
    (ATTACHMENT, "aws:iam/policyAttachment:PolicyAttachment", "aws_iam_policy_attachment"),
    (FUNCTION, "aws:lambda/function:Function", "aws_lambda_function"),
    (PERMISSION, "aws:lambda/permission:Permission", "aws_lambda_permission"),
    (
        EVENT_SOURCE,
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        "aws_lambda_event_source_mapping",
    ),
    (
        INVOKE_CONFIG,
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "aws_lambda_function_event_invoke_config",
    ),
    (EVENT_TARGET, "aws:cloudwatch/eventTarget:EventTarget", "aws_cloudwatch_event_target"),
    (EVENT_RULE, "aws:cloudwatch/eventRule:EventRule", "aws_cloudwatch_event_rule"),
    (LOG_GROUP, "aws:cloudwatch/logGroup:LogGroup", "aws_cloudwatch_log_group"),
    (STACK, "aws:cloudformation/stack:Stack", "aws_cloudformation_stack"),
    (STACK_SET, "aws:cloudformation/stackSet:StackSet", "aws_cloudformation_stack_set"),
    (CLOUD_CONTROL, "aws:cloudcontrol/resource:Resource", "aws_cloudcontrolapi_resource"),
    (
        SERVERLESS_APPLICATION,
        "aws:serverlessrepository/cloudFormationStack:CloudFormationStack",
        "aws_serverlessapplicationrepository_cloudformation_stack",
    ),
    (
        PRODUCT,
        "aws:servicecatalog/provisionedProduct:ProvisionedProduct",
        "aws_servicecatalog_provisioned_product",
    ),
    (EVENT_API, "aws:appsync/api:Api", "aws_appsync_api"),
    (GRAPHQL_API, "aws:appsync/graphQLApi:GraphQLApi", "aws_appsync_graphql_api"),
    (
        IOT_DOMAIN,
        "aws:iot/domainConfiguration:DomainConfiguration",
        "aws_iot_domain_configuration",
    ),
)

# Types that only CloudFormation (and with it aws-native and awscc) knows under these names.
_TEMPLATE_ONLY: Final = (
    MANAGED_OVERRIDES,
    INLINE_POLICY,
    SAM_WEBSOCKET_API,
    GRAPHQL_SCHEMA,
)

_OTHER_TOKENS: Final = {
    "aws:serverlessapplicationrepository/cloudFormationStack:CloudFormationStack": (
        SERVERLESS_APPLICATION
    ),
    "aws-native:index:ExtensionResource": EXTENSION,
    "aws-native:cloudformation:CustomResourceEmulator": CUSTOM_RESOURCE,
    "AWS::CloudFormation::CustomResource": CUSTOM_RESOURCE,
    "AWS::Serverless::Application": SERVERLESS_APPLICATION,
    "AWS::Serverless::Function": FUNCTION,
    "command:local:Command": COMMAND,
    "command:remote:Command": COMMAND,
    "command:remote:CopyToRemote": COMMAND,
    "command:local:run": COMMAND,
    "null:index/resource:Resource": COMMAND,
    "null_resource": COMMAND,
    "terraform_data": COMMAND,
}


def _pascal(snake: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in snake.split("_"))


def _tokens() -> dict[str, str]:
    tokens: dict[str, str] = {}

    def template_type(kind: str) -> None:
        if "::" in kind:
            _, service, name = kind.split("::")
            tokens[kind.casefold()] = kind
            tokens[f"aws-native:{service}:{name}".casefold()] = kind
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
            tokens[f"awscc_{service.lower()}_{snake}"] = kind

    for kind, classic, terraform in _NAMES:
        template_type(kind)
        tokens[classic.casefold()] = kind
        tokens[terraform] = kind
    for kind in _TEMPLATE_ONLY:
        template_type(kind)
    for token, kind in _OTHER_TOKENS.items():
        tokens[token.casefold()] = kind
    # The same names without the file-like module of the classic provider: `aws:apigatewayv2:Api`.
    for _, classic, _ in _NAMES:
        package, module, name = classic.split(":")
        short = f"{package}:{module.partition('/')[0]}:{name}".casefold()
        tokens.setdefault(short, tokens[classic.casefold()])
    return tokens


def _bridged() -> dict[str, str]:
    """Return the suffixes that a dynamically bridged Terraform provider gives its types."""
    suffixes: dict[str, str] = {}
    for kind, _, terraform in _NAMES:
        pascal = _pascal(terraform.removeprefix("aws_"))
        suffixes[f"index/{pascal}:{pascal}".casefold()] = kind
    return suffixes


_TOKENS: Final = _tokens()
_BRIDGED: Final = _bridged()
_DYNAMIC: Final = re.compile(r"pulumi-(python|nodejs):dynamic(/[^:]+)?:", re.IGNORECASE)
_KUBERNETES: Final = re.compile(
    r"kubernetes:(?P<service>[a-z0-9-]+)\.(services\.k8s\.aws|aws\.([a-z0-9]+\.)*(upbound|crossplane)\.io)"
    r"(/[^:]*)?:(?P<name>[a-z0-9]+?)(list|patch)?$",
    re.IGNORECASE,
)

_classified: dict[str, str | None] = {}
_CLASSIFIED_LIMIT: Final = 10_000


def kind_of(token: str) -> str | None:
    """Return the kind of a type token of any provider; `None` where no rule could care."""
    if token in _classified:
        return _classified[token]
    kind = _classify(token.strip().casefold())
    if len(_classified) < _CLASSIFIED_LIMIT:
        _classified[token] = kind
    return kind


def _classify(token: str) -> str | None:
    found = _TOKENS.get(token)
    if found is not None:
        return found
    if _DYNAMIC.match(token):
        return DYNAMIC
    if token.startswith("kubernetes:"):
        return KUBERNETES_OBJECT if _KUBERNETES.fullmatch(token) else None
    package, _, rest = token.partition(":")
    if package and rest == "index:module":
        return TERRAFORM_MODULE
    if token.startswith("custom::"):
        return CUSTOM_RESOURCE
    return _BRIDGED.get(rest)


def kubernetes_kind(token: str) -> str | None:
    """Return what a Kubernetes object stands for in the cloud, where a rule cares."""
    match = _KUBERNETES.fullmatch(token.strip())
    if match is None:
        return None
    return _TOKENS.get(f"aws-native:{match['service']}:{match['name']}".casefold())


def terraform_view_kind(token: str) -> str | None:
    """Return the kind of a resource inside a Terraform module, which only a stack policy sees."""
    name = token.strip().casefold().partition(":")[2]
    return _TOKENS.get(name.removeprefix("tf:")) if name.startswith("tf:") else None
