"""What the simulated branch does outside Baosong: download from the designated server, hand over to the bureau."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.stages.formats import sent_file
from pipelines.stages.installation import Installation
from pipelines.stages.package import package_folder
from resources.channels import SftpChannel
from resources.deployment import SftpConfig, resolve_address
from resources.embedded.bureau import hand_over
from resources.embedded.places import Places


def download_and_hand_over(installation: Installation, filing: str) -> tuple[Path, Path]:
    """The downloaded package and the bureau's receipt, as files on the branch's desk."""
    state = installation.state(filing)
    name = sent_file(package_folder(installation, state)).name
    desk = installation.home / "demo" / "branch"
    desk.mkdir(parents=True, exist_ok=True)
    package, receipt = desk / name, desk / f"{name}.receipt.json"
    places = Places(installation.home)
    config = next(c for c in installation.deployment.channels.values() if isinstance(c, SftpConfig))
    host, port = resolve_address(config.address, installation.home)
    with SftpChannel(
        host=host,
        port=port,
        username="branch",
        password=places.secret("sftp_branch_password"),
        private_key=None,
        known_hosts=config.known_hosts.path(home=installation.home, deployment=installation.deployment.path),
        host_key_alias=config.host_key_alias,
        folder=config.folder,
        timeout_seconds=config.timeout_seconds,
    ) as channel:
        channel.fetch(name, package)
    receipt.write_text(hand_over(places, package, filing=filing), encoding="utf-8")
    sys.stdout.write(
        f"    分公司（模拟）从指定服务器下载 {name}（{package.stat().st_size:,} 字节），移交监管局，取得回执\n"
    )
    return package, receipt
