"""The steps that apps, platform, queues and time can take in any order, and what always holds."""

import contextlib
import io
import itertools
import json

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lambdas import fanout, order_events
from lambdas.rows import CONNECTION_SECONDS, MARGIN_SECONDS, OURS
from tests.gateway.backend import Backend
from tests.gateway.tables import Row
from tests.lambdas.state_machine.model import App, Model, Order, Shop

ACTORS = (
    ("merchant", "m1", "b1"),
    ("merchant", "m2", "b2"),
    ("customer", "c1", None),
    ("customer", "c2", None),
    ("driver", "d1", None),
    ("driver", "d2", None),
    ("nobody", "n1", None),
)
SHOPS = {"b1": "m1", "b2": "m2"}
STATUSES = ("confirmed", "preparing", "ready", "on_the_way", "delivered", "cancelled")
MOST_APPS = 7

pick = st.integers(0, 1_000_000)
shops = st.sampled_from(sorted(SHOPS))


class Platform(RuleBasedStateMachine):
    """Real sockets, real handlers, real tables beside a model of what should come of it."""

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.model = Model()
        self.numbers = itertools.count(1)
        self.told_bodies: list[str] = []
        self.told_records: list[Row] = []

    @initialize()
    def open_for_the_day(self) -> None:
        """Two shops, and somebody of each kind who follows what they can."""
        for business_id, owner in SHOPS.items():
            self.backend.business(business_id, owner=owner)
            self.model.shops[business_id] = Shop(owner=owner)
        self.place_an_order("b1", "c1", old_name=False, now=False)
        self.assign_a_driver(0, "d1", now=False)
        for actor in ACTORS[:5]:
            self.connect(actor)
        for number in range(5):
            self.subscribe_status(number, "b1")
            self.follow_an_order(number, 0, leave=False)
        self.subscribe_orders(0, "b1")

    def teardown(self) -> None:
        for app in self.model.alive():
            self.backend.leave(app.device)
        for table in self.backend.tables.all():
            table.clear()
        self.backend.queue.clear()
        self.backend.orders.waiting.clear()

    # --- Apps come and go ---------------------------------------------------------------------

    @precondition(lambda self: len(self.model.alive()) < MOST_APPS)
    @rule(actor=st.sampled_from(ACTORS))
    def connect(self, actor: tuple[str, str, str | None]) -> None:
        role, sub, business_id = actor
        query = {"userId": sub} if role != "nobody" else {}
        device = self.backend.device(**query)
        now = self.backend.clock.time()
        app = App(device=device, role=role, sub=sub, business_id=business_id, opened_at=now)
        self.model.apps.append(app)
        self.register(app)

    def register(self, app: App) -> None:
        pools = {
            "merchant": self.backend.cognito.merchants,
            "customer": self.backend.cognito.customers,
            "driver": self.backend.cognito.drivers,
        }
        if app.role in pools:
            fields = {} if app.business_id is None else {"businessId": app.business_id}
            answer = app.device.ask(
                "REGISTER_CONNECTION", token=pools[app.role].token(app.sub), **fields
            )
            assert (answer["type"], answer["entityType"]) == ("REGISTERED", app.role)
            app.registered = True

    @precondition(lambda self: self.model.alive())
    @rule(number=pick)
    def leave(self, number: int) -> None:
        app = self._app(number)
        self.backend.leave(app.device)
        app.alive = app.has_row = False

    @precondition(lambda self: self.model.alive())
    @rule(number=pick)
    def drop_without_a_disconnect(self, number: int) -> None:
        app = self._app(number)
        self.backend.gateway.faults.lose_disconnects = True
        self.backend.gateway.cut(app.device.connection_id)
        self.backend.leave(app.device)
        self.backend.gateway.faults.lose_disconnects = False
        app.alive = False

    @precondition(lambda self: self._alive("merchant"))
    @rule(number=pick)
    def log_out_and_in_again(self, number: int) -> None:
        app = self._app(number, "merchant")
        for _ in range(2):
            answer = app.device.ask("MERCHANT_LOGOUT", businessId=app.business_id)
            assert (
                answer["type"] == "MERCHANT_LOGOUT_CONFIRMED" or answer["code"] == "not_registered"
            )
        app.topics.clear()
        self.register(app)

    @precondition(lambda self: self.model.alive())
    @rule(number=pick)
    def beat(self, number: int) -> None:
        app = self._app(number)
        assert app.device.ask("HEARTBEAT")["type"] == "HEARTBEAT_ACK"

    # --- Apps subscribe -----------------------------------------------------------------------

    @precondition(lambda self: self._alive("merchant"))
    @rule(number=pick, business_id=shops)
    def subscribe_orders(self, number: int, business_id: str) -> None:
        app = self._app(number, "merchant")
        answer = app.device.ask("SUBSCRIBE_ORDERS", businessId=business_id)
        if business_id == app.business_id:
            assert answer["type"] == "SUBSCRIBED"
            app.topics.add(f"business:{business_id}")
            self.model.snapshots.append(app)
        else:
            assert answer["code"] == "forbidden"

    @precondition(lambda self: self.model.alive())
    @rule(number=pick, business_id=shops)
    def subscribe_status(self, number: int, business_id: str) -> None:
        app = self._app(number)
        answer = app.device.ask("subscribe_business_status", businessId=business_id)
        shop = self.model.shops[business_id]
        assert answer["action"] == "ack"
        assert answer["isActive"] is shop.is_active
        assert answer.get("version", 0) == shop.version
        app.topics.add(f"merchant_status_{business_id}")

    @precondition(lambda self: self.model.alive())
    @rule(number=pick, business_id=shops)
    def unsubscribe_status_twice(self, number: int, business_id: str) -> None:
        app = self._app(number)
        for _ in range(2):
            answer = app.device.ask("unsubscribe_business_status", businessId=business_id)
            assert answer["action"] == "ack"
        app.topics.discard(f"merchant_status_{business_id}")

    @precondition(lambda self: self.model.alive() and self.model.orders)
    @rule(number=pick, order_number=pick, leave=st.booleans())
    def follow_an_order(self, number: int, order_number: int, leave: bool) -> None:
        app, order_id = self._app(number), self._order(order_number)
        action = "unsubscribe_order" if leave else "subscribe_order"
        answer = app.device.ask(action, orderId=order_id)
        order = self.model.orders[order_id]
        if leave:
            assert answer.get("action") == "ack" or not app.registered
            app.topics.discard(f"order:{order_id}")
        elif self.model.is_party(app, order):
            assert (answer["action"], answer["status"]) == ("ack", order.status)
            app.topics.add(f"order:{order_id}")
        else:
            assert answer["code"] == ("forbidden" if app.registered else "not_registered")

    # --- Things happen ------------------------------------------------------------------------

    @precondition(lambda self: self._alive("merchant"))
    @rule(number=pick, is_active=st.booleans(), now=st.booleans())
    def toggle(self, number: int, is_active: bool, now: bool) -> None:
        app = self._app(number, "merchant")
        assert app.business_id is not None
        topic = f"business:{app.business_id}"
        creates = not any(row.get("topic") == topic for row in self._subscriptions())
        fields = {"businessId": app.business_id, "isActive": is_active}
        answer = app.device.ask("BUSINESS_STATUS_UPDATE", **fields)
        shop = self.model.shops[app.business_id]
        assert answer["type"] == "BUSINESS_STATUS_UPDATED", answer
        assert answer["version"] > shop.version or answer["isActive"] is shop.is_active
        assert answer["version"] >= shop.version
        if is_active is not shop.is_active:
            self.model.untold_changes.append((app.business_id, answer["version"]))
        shop.is_active, shop.version = is_active, answer["version"]
        if creates:
            app.topics.add(topic)
        self._perhaps_deliver(now)

    @rule(
        business_id=shops,
        customer=st.sampled_from(("c1", "c2")),
        old_name=st.booleans(),
        now=st.booleans(),
    )
    def place_an_order(self, business_id: str, customer: str, old_name: bool, now: bool) -> None:
        order_id = f"o{next(self.numbers)}"
        named = {"businessId": None, "storeId": business_id} if old_name else {}
        attributes = {"businessId": business_id, "customerId": customer, **named}
        self.backend.order(order_id, **attributes)
        self.model.orders[order_id] = Order(business_id=business_id, customer=customer, driver=None)
        self.model.untold_orders.append(order_id)
        self._perhaps_deliver(now)

    @precondition(lambda self: self.model.orders)
    @rule(number=pick, status=st.sampled_from(STATUSES), now=st.booleans())
    def change_an_order(self, number: int, status: str, now: bool) -> None:
        order_id = self._order(number)
        order = self.model.orders[order_id]
        if status != order.status:
            record = self.backend.orders.update(order_id, status=status)
            order.status = status
            self.model.untold_updates.append((order_id, record["eventID"]))
            self._perhaps_deliver(now)

    @precondition(lambda self: self.model.orders)
    @rule(number=pick, driver=st.sampled_from(("d1", "d2")), now=st.booleans())
    def assign_a_driver(self, number: int, driver: str, now: bool) -> None:
        order_id = self._order(number)
        order = self.model.orders[order_id]
        if driver != order.driver:
            record = self.backend.orders.update(order_id, driverId=driver)
            order.driver = driver
            self.model.untold_updates.append((order_id, record["eventID"]))
            self._perhaps_deliver(now)

    # --- Events travel ------------------------------------------------------------------------

    @rule(backwards=st.booleans())
    def deliver(self, backwards: bool) -> None:
        records = list(self.backend.orders.waiting)
        self.told_records += records
        if backwards:
            self.backend.orders.waiting.clear()
            for record in reversed(records):
                self.backend.orders.deliver(order_events.handler, [record])
        waiting = self.backend.queue.peek()
        self.told_bodies += waiting
        self.backend.deliver()
        self.model.deliver()
        self._everybody_has_what_is_theirs()

    def _perhaps_deliver(self, now: bool) -> None:
        if now:
            self.deliver(backwards=False)

    @precondition(lambda self: self.told_bodies)
    @rule(number=pick)
    def deliver_a_job_again(self, number: int) -> None:
        """Queues deliver at least once; who has the event does not get it once more."""
        body = self.told_bodies[number % len(self.told_bodies)]
        self.backend.queue.deliver_again(fanout.handler, body)
        job = json.loads(body)
        if job["type"] == "snapshot":
            (app,) = (a for a in self.model.apps if a.device.connection_id == job["connectionId"])
            self.model.tell_pending(app)
        else:
            business_id, _, version = job["event"]["id"].rpartition("-v")
            self.model.tell_change(business_id, int(version))
        self._everybody_has_what_is_theirs()

    @precondition(lambda self: self.told_records)
    @rule(number=pick)
    def deliver_a_record_again(self, number: int) -> None:
        """So do streams, also long after later changes were told."""
        record = self.told_records[number % len(self.told_records)]
        self.backend.orders.deliver(order_events.handler, [record])
        order_id = record["dynamodb"]["Keys"]["orderId"]["S"]
        if record["eventName"] == "INSERT":
            self.model.tell_order(order_id)
        else:
            self.model.tell_update(order_id, record["eventID"])
        self._everybody_has_what_is_theirs()

    @rule(minutes=st.sampled_from((1, 4, 9)))
    def let_time_pass(self, minutes: int) -> None:
        self.backend.clock.advance(minutes * 60)
        living = set(self.backend.gateway.live_connections())
        for app in self.model.alive():
            if app.device.connection_id not in living:
                app.alive = app.has_row = False
                self.backend.forget(app.device)

    @rule()
    def sweep(self) -> None:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            self.backend.sweep()
        now = self.backend.clock.time()
        rows = {row["connectionId"]: row for row in self.backend.tables.connections.rows()}
        for row in self._subscriptions():
            owner = rows.get(row.get("connectionId"))
            if row.get("writtenBy") == OURS and "connectionId" in row:
                assert owner is not None, f"a subscription without an owner: {row}"
                assert owner["ttl"] > now
        self._gauges(output.getvalue(), list(rows.values()), now)

    # --- What always holds --------------------------------------------------------------------

    @invariant()
    def tables_say_what_is_so(self) -> None:
        subscriptions = self._subscriptions()
        connections = self.backend.tables.connections.rows()
        self._a_business_says_one_thing(subscriptions)
        self._rows_are_what_the_apps_asked_for(subscriptions)
        self._there_are_no_ghosts(connections)

    def _a_business_says_one_thing(self, subscriptions: list[Row]) -> None:
        for row in self.backend.tables.businesses.rows():
            business_id = row["businessId"]
            shop = self.model.shops[business_id]
            assert (row["isActive"], row["acceptingOrders"]) == (shop.is_active,) * 2
            versions = [
                (status["version"], status["isActive"])
                for status in subscriptions
                if status["subscriptionId"] == f"merchant_status_{business_id}"
            ]
            assert versions == ([(shop.version, shop.is_active)] if shop.version else [])
            states = {
                device["isActive"]
                for device in subscriptions
                if device["topic"] == f"business:{business_id}"
            }
            assert states <= {shop.is_active}

    def _rows_are_what_the_apps_asked_for(self, subscriptions: list[Row]) -> None:
        apps = {app.device.connection_id: app for app in self.model.apps}
        topics: dict[str, set[str]] = {}
        for row in subscriptions:
            if "connectionId" not in row:
                continue
            app = apps[row["connectionId"]]
            topics.setdefault(row["connectionId"], set()).add(row["topic"])
            assert row["subscriptionId"] == f"{row['connectionId']}#{row['topic']}"
            assert row["createdAt"]
            assert row["ttl"] <= app.opened_at + CONNECTION_SECONDS + MARGIN_SECONDS + 1
            assert row["topic"] in app.topics, f"{app} has a row that it did not ask for"
        for app in self.model.alive():
            assert topics.get(app.device.connection_id, set()) == app.topics, app

    def _there_are_no_ghosts(self, connections: list[Row]) -> None:
        apps = {app.device.connection_id: app for app in self.model.apps}
        for row in connections:
            app = apps[row["connectionId"]]
            assert app.has_row, f"{app} left, its row came back: {row}"
            assert "connectedAt" in row

    def _everybody_has_what_is_theirs(self) -> None:
        for app in self.model.alive():
            device = app.device
            assert device.ask("PING")["type"] == "PONG"
            arrived = [m["payload"]["data"]["orderId"] for m in device.events("NEW_ORDER")]
            assert set(arrived) == app.orders, app
            updates = [m["eventId"] for m in device.events("ORDER_UPDATE")]
            assert sorted(updates) == sorted(app.updates), app
            versions = [
                (m["data"]["merchantId"], m["version"])
                for m in device.events("MERCHANT_STATUS_CHANGE")
            ]
            assert sorted(versions) == sorted(app.versions), app

    def _gauges(self, output: str, rows: list[Row], now: float) -> None:
        gauges: dict[str, float] = {}
        for line in output.splitlines():
            metric = json.loads(line)
            if "ActiveConnections" in metric:
                gauges[metric["entityType"]] = metric["ActiveConnections"]
        for role in ("merchant", "customer", "driver"):
            expected = sum(
                row.get("registeredBy") == OURS and row["entityType"] == role and row["ttl"] > now
                for row in rows
            )
            assert gauges[role] == expected >= 0

    # --- Choosing -----------------------------------------------------------------------------

    def _alive(self, role: str) -> list[App]:
        return [app for app in self.model.alive() if app.role == role]

    def _app(self, number: int, role: str | None = None) -> App:
        apps = self.model.alive() if role is None else self._alive(role)
        return apps[number % len(apps)]

    def _order(self, number: int) -> str:
        return sorted(self.model.orders)[number % len(self.model.orders)]

    def _subscriptions(self) -> list[Row]:
        return self.backend.tables.subscriptions.rows()
