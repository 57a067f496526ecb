"""Opens the deployment's channels: addresses, pinned keys and secrets meet the clients here and nowhere else."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from pipelines.errors import BadInput
from pipelines.stages.installation import Installation
from resources.channels import InterfaceChannel, SftpChannel
from resources.deployment import InterfaceConfig, SftpConfig, resolve_address
from resources.secrets import resolve


@contextmanager
def open_sftp(installation: Installation, name: str) -> Generator[SftpChannel]:
    """The SFTP channel of that name. Raises Refused for an unpinned host key, Unavailable when nobody answers."""
    config = installation.deployment.channels[name]
    if not isinstance(config, SftpConfig):
        raise BadInput("deliver.unknown_channel", channel=name, kind=config.kind)
    home = installation.home
    host, port = resolve_address(config.address, home)
    with SftpChannel(
        host=host,
        port=port,
        username=config.username,
        password=resolve(config.password, home) if config.password else None,
        private_key=resolve(config.private_key, home) if config.private_key else None,
        known_hosts=config.known_hosts.path(home=home, deployment=installation.deployment.path),
        host_key_alias=config.host_key_alias,
        folder=config.folder,
        timeout_seconds=config.timeout_seconds,
    ) as channel:
        yield channel


@contextmanager
def open_interface(installation: Installation, name: str) -> Generator[InterfaceChannel]:
    """The regulator's interface of that name."""
    config = installation.deployment.channels[name]
    if not isinstance(config, InterfaceConfig):
        raise BadInput("deliver.unknown_channel", channel=name, kind=config.kind)
    home = installation.home
    host, port = resolve_address(config.address, home)
    ca_file = (
        config.ca_file.path(home=home, deployment=installation.deployment.path) if config.ca_file else None
    )
    with InterfaceChannel(
        base_url=f"{config.scheme}://{host}:{port}{config.path}",
        token=resolve(config.token, home),
        timeout_seconds=config.timeout_seconds,
        ca_file=ca_file,
    ) as channel:
        yield channel
