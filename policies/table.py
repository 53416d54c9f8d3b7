"""The table of rules: whatever stands here is the pack."""

from typing import Final

from policies.rule import Rule
from policies.rules import (
    command,
    connection_table,
    custom_resource,
    endpoint,
    event_source,
    function_care,
    identity,
    invoke_permission,
    least_privilege,
    opaque,
    pack_order,
    platform_route,
    realtime_channel,
    shared_api_owner,
    standalone_api,
    terraform_view,
)

RULES: Final[tuple[Rule, ...]] = (
    # No WebSocket API of one's own, by whichever road
    standalone_api.RULE,
    terraform_view.RULE,
    opaque.TEMPLATE_RULE,
    opaque.PRODUCT_POLICY,
    opaque.DYNAMIC_POLICY,
    command.CERTAIN,
    command.SUSPICIOUS,
    custom_resource.RULE,
    realtime_channel.RULE,
    # A guest on the shared platform
    shared_api_owner.RULE,
    platform_route.RULE,
    connection_table.RULE,
    least_privilege.RULE,
    invoke_permission.RULE,
    endpoint.RULE,
    # Care
    identity.RULE,
    function_care.LOGS,
    function_care.DEAD_LETTERS,
    event_source.RULE,
    pack_order.RULE,
)

BY_NAME: Final = {rule.name: rule for rule in RULES}
