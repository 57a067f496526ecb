"""Certificates and servers of these tests; what is tried again is tried without waiting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from tests.resources.notifier.certificates import Certificates, certificates
from tests.resources.notifier.hook_server import Hook, hook_server
from tests.resources.notifier.mail_server import MailServer, mail_server


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def tls_server(made: Certificates) -> Iterator[MailServer]:
    with mail_server(made.context) as running:
        yield running


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hook_server() as running:
        yield running
