"""Time as the deployment has it: real, or a clock in a file that only goes forward."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from resources.clock import FileClock, SystemClock, open_clock, open_file_clock
from resources.deployment import load_deployment
from resources.settings import CHECKOUT

MINUTE = timedelta(minutes=1)
DEMO = CHECKOUT / "resources" / "demo" / "deployment"


def test_the_system_clock_is_aware_and_in_shanghai() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(hours=8)
    assert abs(now - datetime.now(UTC)) < MINUTE


def test_a_file_clock_starts_where_it_is_told_and_flows(tmp_path: Path) -> None:
    clock = FileClock(tmp_path / "home" / "clock")
    assert clock.start(datetime(2026, 5, 6, 9)).isoformat() == "2026-05-06T09:00:00+08:00"  # noqa: DTZ001
    first, second = clock.now(), FileClock(tmp_path / "home" / "clock").now()
    assert timedelta() <= second - first < MINUTE
    assert first.isoformat().startswith("2026-05-06T09:0")


def test_it_flows_from_the_time_it_was_set(tmp_path: Path) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    state = {"simulated": "2026-05-06T09:00:00+08:00", "real": hour_ago.isoformat()}
    (tmp_path / "clock").write_text(json.dumps(state), encoding="utf-8")
    now = FileClock(tmp_path / "clock").now()
    assert timedelta() <= now - datetime.fromisoformat("2026-05-06T10:00:00+08:00") < MINUTE


def test_a_machine_whose_clock_was_set_back_does_not_turn_it_back(tmp_path: Path) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    state = {"simulated": "2026-05-06T09:00:00+08:00", "real": ahead.isoformat()}
    (tmp_path / "clock").write_text(json.dumps(state), encoding="utf-8")
    assert FileClock(tmp_path / "clock").now().isoformat() == "2026-05-06T09:00:00+08:00"


def test_advance_moves_by_a_span_or_to_a_time_but_never_back(tmp_path: Path) -> None:
    clock = FileClock(tmp_path / "clock")
    clock.start(datetime(2026, 5, 6, 9, tzinfo=UTC))
    clock.advance(by=timedelta(days=2))
    assert clock.now().date().isoformat() == "2026-05-08"
    clock.advance(to=datetime(2026, 5, 9, 8, 30))  # noqa: DTZ001 - naive is Shanghai
    assert clock.now().isoformat().startswith("2026-05-09T08:3")
    with pytest.raises(Refused) as refused:
        clock.advance(to=datetime(2026, 5, 9, 8, 0))  # noqa: DTZ001
    assert refused.value.code == "clock.backwards"
    with pytest.raises(ValueError, match="either"):
        clock.advance()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clock"]


def test_a_clock_not_started_or_unreadable_says_so(tmp_path: Path) -> None:
    clock = FileClock(tmp_path / "clock")
    with pytest.raises(BadInput) as bad:
        clock.now()
    assert bad.value.code == "clock.not_started"
    for content in ("", "[]", "{}", '{"simulated": "2026-05-06T09:00:00", "real": "2026-05-06T09:00:00"}'):
        clock.path.write_text(content, encoding="utf-8")
        with pytest.raises(BadInput) as bad:
            clock.now()
        assert bad.value.code == "clock.unreadable"


def test_only_a_deployment_with_a_file_clock_lets_time_be_set(tmp_path: Path) -> None:
    deployment = load_deployment(DEMO, tmp_path)
    assert open_file_clock(deployment).path == tmp_path / "clock"
    real = deployment.model_copy(update={"clock": "system"})
    assert isinstance(open_clock(real), SystemClock)
    with pytest.raises(Refused) as refused:
        open_file_clock(real)
    assert refused.value.code == "clock.system"
