"""Any history of commands: the ledger holds what a plain model of it holds, and is whole after every step."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipelines.errors import Refused
from pipelines.ledger import Ledger

AT = datetime(2026, 5, 6, 9, tzinfo=timezone(timedelta(hours=8)))
STREAMS = st.sampled_from(["filing/a", "filing/b", "request/三"])
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.integers(-9, 9) | st.none()
COMMANDS = st.integers(0, 12).map(str)


class History(RuleBasedStateMachine):
    """The model: per stream a list of payloads, per command what it did, the reservations."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.home = Path(self.folder.name)
        self.streams: dict[str, list[Any]] = {}
        self.commands: dict[str, tuple[str, Any, int]] = {}
        self.reserved: set[tuple[str, int]] = set()
        self.heads = 0
        self.open()

    def open(self) -> None:
        self.ledger = Ledger.open(
            f"sqlite:///{self.home / 'ledger.db'}", deployment="demo", home=self.home, at=AT
        )

    @rule(stream=STREAMS, value=VALUES, command=COMMANDS)
    def append(self, stream: str, value: Any, command: str) -> None:
        def act() -> int:
            payload = {"value": value}
            return self.ledger.append(stream, "noted", payload, actor="a", at=AT, command_id=command).seq

        if command not in self.commands:
            self.streams.setdefault(stream, []).append({"value": value})
            self.commands[command] = (stream, {"value": value}, len(self.streams[stream]))
            assert act() == len(self.streams[stream])
            return
        done_in, payload, seq = self.commands[command]
        is_erased = self.streams[done_in][seq - 1] is None
        if done_in == stream and (is_erased or payload == {"value": value}):
            assert act() == seq
        else:
            with pytest.raises(Refused):
                act()

    @rule(filing=st.sampled_from(["a", "b"]), version=st.integers(1, 2))
    def reserve(self, filing: str, version: int) -> None:
        command = f"reserve:{filing}:{version}"
        _, is_new = self.ledger.reserve(filing, version, "sftp", {}, actor="a", at=AT, command_id=command)
        assert is_new == ((filing, version) not in self.reserved)
        if is_new:
            self.reserved.add((filing, version))
            self.streams.setdefault(f"filing/{filing}", []).append({"version": version, "channel": "sftp"})

    @rule(command=COMMANDS)
    def erase(self, command: str) -> None:
        if command in self.commands:
            stream, _, seq = self.commands[command]
            self.ledger.erase(stream, seq, actor="b", at=AT, reason="r")
            self.streams[stream][seq - 1] = None

    @rule()
    def sign(self) -> None:
        self.ledger.sign_head(AT)
        self.heads += 1

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.open()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        for stream, payloads in self.streams.items():
            events = self.ledger.events(stream)
            assert [event.payload for event in events] == payloads
            assert [event.seq for event in events] == list(range(1, len(payloads) + 1))
        report = self.ledger.verify()
        assert report.problems == ()
        assert (report.heads, report.streams) == (self.heads, len(self.streams) + 1)

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
