"""The client of the management API, against an endpoint that answers as the test says."""

import asyncio
import datetime as dt
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from bench.management_stub import CUT, DROP, HANG, Stub, serve
from lambdas import management as module
from lambdas.management import BODY_LIMIT, Management, Outcome, Post, classify, is_connection_id
from lambdas.signing import Credentials, Signer, body_hash

ID = "R0oXAdfD0kwCH6w="


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serve() as running:
        yield running


def post(
    stub: Stub, *connection_ids: str, body: bytes = b"{}", seconds: float = 30
) -> list[Outcome]:
    posts = [Post(connection_id, body) for connection_id in connection_ids]
    return Management(stub.endpoint).post_all(posts, deadline=monotonic() + seconds)


# --- Signature ------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "session/token+with=signs"])
def test_a_signature_is_the_one_that_botocore_makes(
    token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = dt.datetime(2026, 1, 31, 12, 0, 0, tzinfo=dt.UTC)
    path = "/dev/%40connections/R0oXAdfD0kwCH6w%3D"
    request = AWSRequest("POST", f"https://api.example.com{path}", data=b"body")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: moment, raising=False)
    monkeypatch.setattr("botocore.compat.get_current_datetime", lambda *_: moment, raising=False)
    signer = SigV4Auth(BotocoreCredentials("AKID", "secret", token), "execute-api", "us-east-1")
    signer.add_auth(request)
    ours = Signer(
        credentials=Credentials(access_key="AKID", secret_key="secret", token=token),
        region="us-east-1",
        host="api.example.com",
        moment="20260131T120000Z",
    ).headers(path, body_hash(b"body"))
    assert f"Authorization: {request.headers['Authorization']}\r\n" in ours
    assert (f"X-Amz-Security-Token: {token}\r\n" in ours) == (token is not None)


def test_a_connection_id_is_percent_encoded_and_the_stage_kept(stub: Stub) -> None:
    post(stub, ID)
    assert stub.posts[ID][0].path == "/dev/%40connections/R0oXAdfD0kwCH6w%3D"


def test_the_body_arrives_as_it_is(stub: Stub) -> None:
    post(stub, ID, body='{"name":"كرادة"}'.encode())
    assert stub.delivered[ID] == ['{"name":"كرادة"}'.encode()]


# --- Outcomes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED),
        (204, Outcome.DELIVERED),
        (400, Outcome.GONE),
        (403, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (410, Outcome.GONE),
        (413, Outcome.TOO_LARGE),
        (429, Outcome.BUSY),
        (500, Outcome.BUSY),
        (503, Outcome.BUSY),
    ],
)
def test_a_status_says_what_became_of_a_post(status: int, outcome: Outcome) -> None:
    assert classify(status) is outcome


def test_outcomes_come_in_the_order_of_the_posts(stub: Stub) -> None:
    stub.answer = lambda connection_id, _: {"gone": 410, "wrong": 403}.get(connection_id, 200)
    assert post(stub, "fine", "gone", "wrong", "good") == [
        Outcome.DELIVERED,
        Outcome.GONE,
        Outcome.REFUSED,
        Outcome.DELIVERED,
    ]


@pytest.mark.parametrize("status", [429, 500, DROP])
def test_what_may_pass_is_tried_once_more(stub: Stub, status: int) -> None:
    stub.answer = lambda _, attempt: status if attempt == 1 else 200
    assert post(stub, ID) == [Outcome.DELIVERED]
    assert len(stub.posts[ID]) == 2


@pytest.mark.parametrize("status", [429, 500, DROP])
def test_what_does_not_pass_is_busy_after_two_tries(stub: Stub, status: int) -> None:
    stub.answer = lambda *_: status
    assert post(stub, ID) == [Outcome.BUSY]
    assert len(stub.posts[ID]) == 2


@pytest.mark.parametrize("status", [400, 403, 410])
def test_what_will_not_pass_is_tried_once(stub: Stub, status: int) -> None:
    stub.answer = lambda *_: status
    post(stub, ID)
    assert len(stub.posts[ID]) == 1


@pytest.mark.timeout(60)
def test_a_silent_connection_is_busy_and_holds_up_nobody(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)
    stub.answer = lambda connection_id, _: HANG if connection_id == "silent" else 200
    others = [f"other{number}" for number in range(50)]
    outcomes = post(stub, "silent", *others)
    assert outcomes == [Outcome.BUSY] + [Outcome.DELIVERED] * 50


def test_an_endpoint_that_is_not_there_makes_everyone_busy() -> None:
    with serve() as stub:
        endpoint = stub.endpoint
    outcomes = Management(endpoint).post_all([Post(ID, b"")], deadline=monotonic() + 5)
    assert outcomes == [Outcome.BUSY]


def test_a_body_over_the_limit_is_not_posted(stub: Stub) -> None:
    assert post(stub, ID, body=b"x" * BODY_LIMIT) == [Outcome.DELIVERED]
    assert post(stub, ID, body=b"x" * (BODY_LIMIT + 1)) == [Outcome.TOO_LARGE]
    assert len(stub.posts[ID]) == 1


def test_nothing_is_posted_after_the_deadline(stub: Stub) -> None:
    assert post(stub, "a", "b", seconds=0) == [Outcome.UNSENT, Outcome.UNSENT]
    assert stub.posts == {}


def test_who_was_not_posted_to_before_the_deadline_is_told_apart(stub: Stub) -> None:
    ids = [f"c{number}" for number in range(400)]
    stub.latency = 0.1
    outcomes = post(stub, *ids, seconds=0.15)
    assert set(outcomes) == {Outcome.DELIVERED, Outcome.UNSENT}
    delivered = {one for one, outcome in zip(ids, outcomes, strict=True) if outcome == "delivered"}
    assert delivered == set(stub.delivered)


@pytest.mark.parametrize(
    "text",
    ["", "a b", "a/b", "../x", "a" * 129, "a===", "VIRTUAL_b1_u1_17", "LOGIN_b1_u1_17", None, 7],
)
def test_what_cannot_be_a_connection_is_never_posted_to(stub: Stub, text: object) -> None:
    assert not is_connection_id(text)
    if isinstance(text, str):
        assert post(stub, text) == [Outcome.GONE]
        assert stub.posts == {}


@pytest.mark.parametrize("text", [ID, "QLCAheDaoAMCJng=", "0123456789abcdef", "a_b-c=="])
def test_ids_as_the_gateways_give_them_are_connections(text: str) -> None:
    assert is_connection_id(text)


# --- Sockets --------------------------------------------------------------------------------------


def test_sockets_are_used_again(stub: Stub) -> None:
    client = Management(stub.endpoint)
    for _ in range(20):
        assert client.post_all([Post(ID, b"")], deadline=monotonic() + 5) == [Outcome.DELIVERED]
    assert stub.sockets == 1


def test_many_posts_share_few_sockets(stub: Stub) -> None:
    post(stub, *(f"c{number}" for number in range(1000)))
    assert stub.sockets <= module.WIRES


def test_an_endpoint_that_answers_as_quickly_to_more_is_given_more(stub: Stub) -> None:
    stub.latency = 0.05
    assert set(post(stub, *(f"c{number}" for number in range(200)))) == {Outcome.DELIVERED}
    assert stub.sockets > module.FIRST_WIRES


def test_an_endpoint_that_gets_slower_is_not_pressed(stub: Stub) -> None:
    stub.latency, stub.later = 0.0, 0.15
    assert set(post(stub, *(f"c{number}" for number in range(200)))) == {Outcome.DELIVERED}
    assert stub.sockets <= module.FIRST_WIRES + 1


def test_a_socket_that_died_while_idle_costs_no_try(stub: Stub) -> None:
    client = Management(stub.endpoint)
    client.post_all([Post("first", b"")], deadline=monotonic() + 5)
    # The endpoint closes the kept socket when it is used the next time, and is busy once.
    answers = {1: DROP, 2: 429, 3: 200}
    stub.answer = lambda _, attempt: answers[attempt]
    assert client.post_all([Post("next", b"")], deadline=monotonic() + 5) == [Outcome.DELIVERED]


def test_an_answer_that_is_cut_short_is_a_try_also_on_a_kept_socket(stub: Stub) -> None:
    client = Management(stub.endpoint)
    client.post_all([Post("first", b"")], deadline=monotonic() + 5)
    stub.answer = lambda *_: CUT
    assert client.post_all([Post("next", b"")], deadline=monotonic() + 5) == [Outcome.BUSY]
    assert len(stub.posts["next"]) == 2


def test_a_socket_is_not_used_after_it_was_idle_too_long(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Management(stub.endpoint)
    client.post_all([Post(ID, b"")], deadline=monotonic() + 5)
    monkeypatch.setattr(module, "time", lambda: 4_000_000_000.0)
    client.post_all([Post(ID, b"")], deadline=monotonic() + 5)
    assert stub.sockets == 2


def test_threads_may_post_at_once(stub: Stub) -> None:
    client = Management(stub.endpoint)

    def one(number: int) -> list[Outcome]:
        posts = [Post(f"t{number}c{i}", b"") for i in range(20)]
        return client.post_all(posts, deadline=monotonic() + 10)

    with ThreadPoolExecutor(8) as pool:
        outcomes = [outcome for part in pool.map(one, range(8)) for outcome in part]
    assert outcomes == [Outcome.DELIVERED] * 160
    assert len(stub.delivered) == 160


async def _inside(stub: Stub) -> list[Outcome]:
    return post(stub, ID)


def test_it_can_be_called_while_an_event_loop_runs(stub: Stub) -> None:
    assert asyncio.run(_inside(stub)) == [Outcome.DELIVERED]


def test_it_speaks_tls_and_checks_the_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = _certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with serve(tls=context) as stub:
        endpoint = stub.endpoint.replace("127.0.0.1", "localhost")
        assert endpoint.startswith("https://")
        posts = [Post(ID, b"{}")]
        assert Management(endpoint).post_all(posts, deadline=monotonic() + 5) == [Outcome.BUSY]
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        assert Management(endpoint).post_all(posts, deadline=monotonic() + 5) == [Outcome.DELIVERED]


def _certificate(folder: Path) -> Path:
    """A certificate for localhost that signs itself, with its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
