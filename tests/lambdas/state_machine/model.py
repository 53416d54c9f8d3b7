"""What the shared platform should look like: plain dictionaries, moved by the same steps."""

from dataclasses import dataclass, field

from tests.gateway.devices import Device


@dataclass(kw_only=True, eq=False)
class App:
    """One app on one socket, as it ought to be known."""

    device: Device
    role: str
    sub: str
    business_id: str | None
    opened_at: float
    alive: bool = True
    registered: bool = False
    has_row: bool = True
    """Whether the connection's row is still expected in the table."""
    topics: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    """Orders that it should have been told of as new."""
    updates: set[str] = field(default_factory=set)
    """Event ids of order updates that it should have."""
    versions: set[tuple[str, int]] = field(default_factory=set)
    """Business and version of each status change that it should have."""

    def __repr__(self) -> str:
        return f"{self.role}:{self.sub}@{self.device.connection_id}"


@dataclass(kw_only=True)
class Shop:
    """A business."""

    owner: str
    is_active: bool = False
    version: int = 0


@dataclass(kw_only=True)
class Order:
    """An order."""

    business_id: str
    customer: str
    driver: str | None
    status: str = "pending"


@dataclass(kw_only=True)
class Model:
    """Everything that is, and everything that waits to be told."""

    apps: list[App] = field(default_factory=list)
    shops: dict[str, Shop] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    untold_changes: list[tuple[str, int]] = field(default_factory=list)
    untold_orders: list[str] = field(default_factory=list)
    untold_updates: list[tuple[str, str]] = field(default_factory=list)
    """Order and event id."""
    snapshots: list[App] = field(default_factory=list)

    def alive(self) -> list[App]:
        return [app for app in self.apps if app.alive]

    def is_party(self, app: App, order: Order) -> bool:
        if not app.registered:
            return False
        match app.role:
            case "merchant":
                return app.business_id == order.business_id
            case "customer":
                return app.sub == order.customer
            case "driver":
                return app.sub == order.driver
            case _:
                return False

    def deliver(self) -> None:
        """Everything that waits reaches whoever may have it now."""
        for order_id in self.untold_orders:
            self.tell_order(order_id)
        for order_id, event_id in self.untold_updates:
            self.tell_update(order_id, event_id)
        for business_id, version in self.untold_changes:
            self.tell_change(business_id, version)
        for app in self.snapshots:
            self.tell_pending(app)
        self.untold_orders.clear()
        self.untold_updates.clear()
        self.untold_changes.clear()
        self.snapshots.clear()

    def tell_order(self, order_id: str) -> None:
        for app in self._merchants(self.orders[order_id].business_id):
            app.orders.add(order_id)

    def tell_update(self, order_id: str, event_id: str) -> None:
        for app in self.alive():
            if f"order:{order_id}" in app.topics and self.is_party(app, self.orders[order_id]):
                app.updates.add(event_id)

    def tell_change(self, business_id: str, version: int) -> None:
        for app in self.alive():
            if f"merchant_status_{business_id}" in app.topics:
                app.versions.add((business_id, version))

    def tell_pending(self, app: App) -> None:
        if app.alive and app.registered:
            app.orders |= {
                order_id
                for order_id, order in self.orders.items()
                if order.business_id == app.business_id and order.status == "pending"
            }

    def _merchants(self, business_id: str) -> list[App]:
        return [
            app
            for app in self.alive()
            if app.registered
            and app.role == "merchant"
            and app.business_id == business_id
            and f"business:{business_id}" in app.topics
        ]
