"""Clients that know only `type`: whose messages go to `$default`, ours once it is handed over."""

from tests.gateway.backend import Backend


def test_a_message_with_a_type_alone_reaches_the_platform_as_long_as_default_is_its_own(
    backend: Backend,
) -> None:
    device = backend.device()
    device.send_raw('{"type": "PING"}')
    device.wait(lambda message: message.get("action") == "unknown_message_ack")


def test_a_message_with_a_type_alone_is_served_where_default_was_handed_over(
    open_backend: Backend,
) -> None:
    open_backend.business("b1", owner="m1")
    device = open_backend.merchant("m1", "b1")
    device.send_raw('{"type": "SUBSCRIBE_ORDERS", "businessId": "b1", "requestId": "a"}')
    assert device.expect("SUBSCRIBED")["requestId"] == "a"
    device.send_raw('{"type": "BUSINESS_STATUS_UPDATE", "businessId": "b1", "status": "online"}')
    assert device.expect("BUSINESS_STATUS_UPDATED")["isActive"] is True


def test_action_wins_over_type(open_backend: Backend) -> None:
    device = open_backend.device()
    device.send_raw('{"action": "PING", "type": "MERCHANT_LOGOUT"}')
    device.expect("PONG")


def test_the_first_merchant_app_is_served_field_by_field(open_backend: Backend) -> None:
    """What the app sends today, with every field of its own."""
    open_backend.business("business_1756336745961_ywix4oy9aa", owner="m1")
    device = open_backend.device(
        businessId="business_1756336745961_ywix4oy9aa", entityType="merchant", userId="m1"
    )
    common = {
        "businessId": "business_1756336745961_ywix4oy9aa",
        "userId": "m1",
        "entityType": "merchant",
        "userType": "merchant",
        "timestamp": "2026-01-01T00:00:00.000Z",
    }
    token = open_backend.cognito.merchants.token("m1")
    device.send("REGISTER_CONNECTION", type="REGISTER_CONNECTION", token=token, **common)
    device.expect("REGISTERED")
    device.send("SUBSCRIBE_ORDERS", type="SUBSCRIBE_ORDERS", **common)
    device.expect("SUBSCRIBED")
    device.send("BUSINESS_STATUS_UPDATE", type="BUSINESS_STATUS_UPDATE", isActive=True, **common)
    device.expect("BUSINESS_STATUS_UPDATED")
    device.send("MERCHANT_LOGOUT", type="MERCHANT_LOGOUT", reason="user_logout", **common)
    device.expect("MERCHANT_LOGOUT_CONFIRMED")
    assert device.events("ERROR") == []
