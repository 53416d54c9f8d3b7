"""A repair that is killed or told to stop, anywhere: nothing is lost, and the next run goes on."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ops.paced import PacedTables
from ops.repair import commit, report, run
from ops.repair.journal import Journal, kept
from tests.gateway.tables import Tables
from tests.ops.repair.conftest import Shop
from tests.ops.repair.rows import connection, subscription

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).resolve().parents[3]


class KilledError(BaseException):
    """The process is gone; nothing after this reaches the disk."""


class Killer:
    """Kills a run at its n-th boundary: before or after a transaction or a line of the journal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = -1
        self.passed = 0
        call, save = PacedTables.call, Journal.save

        def watched_call(tables: PacedTables, operation: str, **parameters: Any) -> dict[str, Any]:
            if operation != "transact_write_items":
                return call(tables, operation, **parameters)
            self._boundary()
            answer = call(tables, operation, **parameters)
            self._boundary()
            return answer

        def watched_save(journal: Journal) -> None:
            if self.passed > self.at >= 0:
                journal.file = None
                return
            self._boundary()
            save(journal)
            self._boundary()

        monkeypatch.setattr(PacedTables, "call", watched_call)
        monkeypatch.setattr(Journal, "save", watched_save)

    def _boundary(self) -> None:
        self.passed += 1
        if self.passed - 1 == self.at:
            raise KilledError

    def kill(self, shop: Shop, at: int) -> bool:
        """Run until that boundary, and leave the file as a kill leaves it; False at the end."""
        self.at, self.passed = at, 0
        try:
            shop.run("--apply", "--json")
        except KilledError:
            pass
        else:
            return False
        finally:
            self.at = -1
        with shop.journal.open("a", encoding="utf-8") as file:
            file.write('{"repair')  # what a kill leaves of a line that is being written
        return True


CONNECTIONS = [connection(f"m{number}=") for number in range(5)]
SUBSCRIPTIONS = [
    *(subscription(f"gone{number}=_business_status_1") for number in range(5)),
    *(subscription(f"theirs{number}=#order:o", subscriptionType="order") for number in range(3)),
]


def _fill(tables: Tables) -> None:
    tables.connections.clear()
    tables.subscriptions.clear()
    tables.connections.put_all(CONNECTIONS)
    tables.subscriptions.put_all(SUBSCRIPTIONS)


def test_killed_at_any_boundary_the_next_run_ends_what_was_begun_and_tells_of_all_of_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(run.Repair.__init__.__kwdefaults__, "page", 4)
    monkeypatch.setattr(commit, "ACTIONS", 4)
    _fill(shop.tables)
    whole = shop.report("--apply")
    assert whole["outcome"] == {"mended": 15}
    wanted = shop.contents()
    killer = Killer(monkeypatch)
    boundary = 0
    while True:
        shop.journal.unlink()
        _fill(shop.tables)
        assert killer.kill(shop, boundary)
        over = '"told"' in shop.journal.read_text()
        told = shop.report("--apply")
        assert shop.contents() == wanted, boundary
        if over:
            assert told["found"] == {}
            break
        assert told["found"] == whole["found"], boundary
        assert told["read"]["connections"] == len(CONNECTIONS), boundary
        # A page is read again when the run was killed within it, and what is right by then was
        # mended at the last moment.
        unsure = told["outcome"].pop(report.UNSURE, 0)
        assert unsure <= 4, boundary
        assert told["outcome"].get("mended", 0) == 15 - unsure, boundary
        boundary += 1
    assert boundary > 30


def test_a_run_that_is_killed_goes_on_behind_the_pages_that_were_done(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(shop.tables)
    killer = Killer(monkeypatch)
    # All connections are done, and their page is noted; the first batch of orphans is not.
    seen = 0
    while True:
        killer.kill(shop, seen)
        lines = [json.loads(line) for line in shop.journal.read_text().splitlines()[:-1]]
        if any("after" in line for line in lines):
            break
        seen += 1
        shop.journal.unlink()
        _fill(shop.tables)
    scanned: list[str] = []
    pages = PacedTables.pages
    monkeypatch.setattr(
        PacedTables, "pages", lambda *a, **kw: (scanned.append(a[1]), pages(*a, **kw))[1]
    )
    result = shop.run("--apply")
    assert "going on where" in result.stderr
    assert scanned == [shop.tables.subscriptions.name]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_process_that_is_ended_in_the_middle_is_gone_on_with(
    shop: Shop, ending: signal.Signals
) -> None:
    shop.tables.subscriptions.put_all(
        subscription(f"gone{number}=_business_status_1") for number in range(300)
    )
    slow = [*shop.arguments, "--apply", "--json", "--rate", "300"]
    with subprocess.Popen(
        [sys.executable, "-m", "ops", *slow],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while _lines(shop.journal, "mended") < 25:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(ending)
        printed, said = process.communicate(timeout=20)
    left = len(shop.tables.subscriptions.rows())
    assert 0 < left <= 275
    if ending is not signal.SIGKILL:
        assert process.returncode == 130
        told = json.loads(printed)
        assert told["state"] == "unfinished"
        assert told["outcome"]["mended"] in {300 - left, 300 - left - 12}
        assert f"{shop.journal} holds the place" in said
        assert said.splitlines()[-1] == "interrupted"
    told = shop.report("--apply")
    assert (told["state"], told["found"]) == ("complete", {"orphan": 300})
    assert shop.tables.subscriptions.rows() == []


def _lines(journal: Path, outcome: str) -> int:
    return journal.read_text().count(f'"{outcome}"') if journal.exists() else 0


def test_a_fault_in_the_middle_still_gives_the_report(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(shop.tables)
    call = PacedTables.call

    def broken(tables: PacedTables, operation: str, **parameters: Any) -> dict[str, Any]:
        if parameters.get("TableName") == shop.tables.subscriptions.name and operation == "scan":
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
        return call(tables, operation, **parameters)

    with monkeypatch.context() as patched:
        patched.setattr(PacedTables, "call", broken)
        result = shop.run("--apply", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["state"] == "unfinished"
    assert shop.report("--apply")["state"] == "complete"


# --- The journal ----------------------------------------------------------------------------------


def test_anew_begins_at_the_beginning(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(shop.tables)
    killer = Killer(monkeypatch)
    killer.kill(shop, 8)
    result = shop.run("--apply", "--anew")
    assert "going on" not in result.stderr
    assert "5 connections and" in result.stdout


def test_a_repair_that_came_to_its_end_is_not_gone_on_with(shop: Shop) -> None:
    _fill(shop.tables)
    shop.report("--apply")
    shop.tables.connections.put(connection("late="))
    assert shop.report("--apply")["found"] == {"entity type": 1, "missing subscription": 1}


def test_the_journal_of_another_stack_is_refused(shop: Shop) -> None:
    with kept(shop.journal, "other tables", anew=False):
        pass
    result = shop.run("--apply")
    assert result.exit_code == 2
    assert "tells of a repair of other tables" in result.output
    assert "--journal FILE" in result.output


@pytest.mark.parametrize("text", ["{}\n", "no journal\n", '{"row": 1}\n', "[1]\n"])
def test_a_file_that_is_no_journal_is_refused_and_kept(shop: Shop, text: str) -> None:
    shop.journal.write_text(text, encoding="utf-8")
    result = shop.run("--apply")
    assert result.exit_code == 2
    assert "is not a journal" in result.output
    assert shop.journal.read_text(encoding="utf-8") == text


def test_two_repairs_with_one_journal_do_not_meet(shop: Shop) -> None:
    with kept(shop.journal, "theirs", anew=False):
        result = shop.run("--apply")
    assert result.exit_code == 2
    assert "in use" in result.output


def test_a_journal_that_cannot_be_written_is_named_before_anything_is_done(shop: Shop) -> None:
    _fill(shop.tables)
    before = shop.contents()
    shop.journal.mkdir()
    result = shop.run("--apply")
    assert result.exit_code == 2
    assert str(shop.journal) in result.output
    os.rmdir(shop.journal)  # noqa: PTH106 - a directory where a file was expected
    assert shop.contents() == before


def test_a_full_disk_stops_the_repair_with_its_report(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(shop.tables)

    class Full:
        name = "journal.jsonl"

        def write(self, _: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    begin = Journal.begin
    monkeypatch.setattr(Journal, "begin", lambda j: (begin(j), setattr(j, "file", Full()))[0])
    result = shop.run("--apply", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["state"] == "unfinished"
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.output
