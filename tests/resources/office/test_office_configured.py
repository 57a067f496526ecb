"""`office:` in deployment.yaml: optional, checked with its line, and opened as two folders."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from resources.deployment import load_deployment
from resources.office import FolderOffice, open_office
from resources.settings import CHECKOUT

DEMO = CHECKOUT / "resources" / "demo" / "deployment"
TEMPLATE = CHECKOUT / "resources" / "deployment_template" / "deployment.yaml"


def deployment_with(tmp_path: Path, office: str) -> Path:
    folder = tmp_path / "deployment"
    shutil.copytree(DEMO, folder)
    with (folder / "deployment.yaml").open("a", encoding="utf-8") as file:
        file.write(office)
    return folder


def test_without_an_office_people_type_the_references(tmp_path: Path) -> None:
    assert open_office(load_deployment(DEMO, tmp_path)) is None


def test_folders_in_the_home_are_made_and_those_of_a_share_are_taken_as_they_are(tmp_path: Path) -> None:
    share = tmp_path / "share"
    folder = deployment_with(tmp_path, f"\noffice: {{kind: folder, outbox: home:eoa/out, inbox: {share}}}\n")
    home = tmp_path / "home"
    assert open_office(load_deployment(folder, home)) == FolderOffice(home / "eoa" / "out", share)
    assert (home / "eoa" / "out").is_dir()
    assert not share.exists()


def test_the_example_of_the_template_is_a_valid_office(tmp_path: Path) -> None:
    commented = TEMPLATE.read_text(encoding="utf-8").split("# office:", 1)[1].split("\n\n", 1)[0]
    office = "\noffice:" + re.sub(r"(?m)^# ", "", commented)
    loaded = load_deployment(deployment_with(tmp_path, office), tmp_path / "home")
    assert open_office(loaded) is not None


@pytest.mark.parametrize(
    ("office", "code", "place"),
    [
        ("office:", "deployment.value", "office"),
        ("office: {outbox: home:a, inbox: home:b}", "deployment.missing", "office.kind"),
        ("office: {kind: mail, outbox: home:a, inbox: home:b}", "deployment.value", "office.kind"),
        ("office: {kind: folder, outbox: home:a}", "deployment.missing", "office.inbox"),
        ("office: {kind: folder, outbox: a, inbox: home:b}", "deployment.value", "office.outbox"),
        ("office: {kind: folder, outbox: home:a, inbox: home:a}", "deployment.office_folders", "office"),
        (
            "office: {kind: folder, outbox: home:a/../../b, inbox: home:b}",
            "deployment.path_outside",
            "office",
        ),
        (
            "office: {kind: folder, outbox: home:a, inbox: home:b, url: x}",
            "deployment.unknown_key",
            "office.url",
        ),
    ],
)
def test_a_mistake_in_the_office_is_named_with_its_place(
    tmp_path: Path, office: str, code: str, place: str
) -> None:
    with pytest.raises(BadInput) as caught:
        load_deployment(deployment_with(tmp_path, f"\n{office}\n"), tmp_path / "home")
    (detail,) = caught.value.details
    assert (detail.code, detail.values["place"]) == (code, place)
    assert str(detail)
