"""The sign-on as a deployment writes it: every mistake with its line, no secret in plain text, no clear text but on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.errors import LANGUAGE, BadInput
from resources.deployment import OidcConfig, load_deployment
from resources.settings import CHECKOUT
from resources.sign_on import open_sign_on

DEMO = CHECKOUT / "resources" / "demo" / "deployment"
PLAIN = {"issuer": "https://sso.example.cn/realms/staff", "client_id": "baosong", "client_secret": "env:OIDC"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "deployment"))


def written(folder: Path, **changed: str | None) -> Path:
    lines = {name: value for name, value in {**PLAIN, **changed}.items() if value is not None}
    main = folder / "deployment.yaml"
    section = "\noidc:\n" + "".join(f"  {name}: {value}\n" for name, value in lines.items())
    main.write_text(main.read_text(encoding="utf-8") + section, encoding="utf-8")
    return main


def loaded(folder: Path, **changed: str | None) -> OidcConfig:
    written(folder, **changed)
    config = load_deployment(folder, folder.parent / "home").oidc
    assert config is not None
    return config


def test_without_the_section_there_is_no_sign_on(folder: Path) -> None:
    deployment = load_deployment(folder, folder.parent / "home")
    assert deployment.oidc is None and open_sign_on(deployment) is None


def test_what_is_needed_and_what_is_usual(folder: Path) -> None:
    config = loaded(folder)
    assert (config.claim, config.only, config.label, config.timeout_seconds) == (
        "preferred_username", False, None, 10,
    )  # fmt: skip
    assert config.user_of("executive") == "executive"


def test_people_named_one_by_one_are_the_only_ones(folder: Path) -> None:
    config = loaded(
        folder, claim="sub", people="{7f3a: executive}", only="true", label="{zh: 统一认证, en: SSO}"
    )
    assert (config.user_of("7f3a"), config.user_of("executive"), config.only) == ("executive", None, True)


@pytest.mark.parametrize(
    ("changed", "code", "place"),
    [
        ({"issuer": "http://sso.example.cn"}, "deployment.notice_http", "oidc.issuer"),
        ({"issuer": "sso.example.cn"}, "deployment.notice_url", "oidc.issuer"),
        ({"issuer": "https://u:hunter2@sso.example.cn"}, "deployment.notice_url_secret", "oidc.issuer"),
        (
            {"issuer": "https://sso.example.cn/.well-known/openid-configuration"},
            "deployment.oidc_issuer",
            "oidc.issuer",
        ),
        ({"issuer": None}, "deployment.missing", "oidc.issuer"),
        ({"client_id": None}, "deployment.missing", "oidc.client_id"),
        ({"client_secret": "hunter2"}, "deployment.plain_secret", "oidc.client_secret"),
        ({"client_secret": None}, "deployment.missing", "oidc.client_secret"),
        ({"claim": "'a b'"}, "deployment.value", "oidc.claim"),
        ({"only": "perhaps"}, "deployment.value", "oidc.only"),
        ({"label": "{zh: 登录}"}, "deployment.missing", "oidc.label.en"),
        ({"people": "{x: executive, y: executive}"}, "deployment.oidc_user_twice", "oidc.people.y"),
        ({"ca_file": "{deployment: none.pem}"}, "deployment.pinned_file_missing", "oidc.ca_file"),
        ({"scopes": "email"}, "deployment.unknown_key", "oidc.scopes"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    changed: dict[str, str | None], code: str, place: str, folder: Path
) -> None:
    main = written(folder, **changed)
    with pytest.raises(BadInput) as bad:
        load_deployment(folder, folder.parent / "home")
    (detail,) = bad.value.details
    assert (detail.code, detail.values["place"]) == (code, place)
    line = main.read_text(encoding="utf-8").splitlines()[int(str(detail.values["line"])) - 1]
    assert line == "oidc:" or place.split(".")[1] in line
    for language in ("zh", "en"):
        token = LANGUAGE.set(language)
        assert str(detail).startswith(str(main)) and "hunter2" not in str(detail)
        LANGUAGE.reset(token)


def test_a_secret_or_a_certificate_that_is_not_there_is_told_when_the_desk_opens(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "ca.pem").write_text("no certificate")
    written(folder, ca_file="{deployment: ca.pem}")
    deployment = load_deployment(folder, folder.parent / "home")
    monkeypatch.delenv("OIDC", raising=False)
    with pytest.raises(BadInput, match="OIDC"):
        open_sign_on(deployment)
    monkeypatch.setenv("OIDC", "hunter2")
    with pytest.raises(BadInput, match=r"ca\.pem"):
        open_sign_on(deployment)


def test_the_secret_is_never_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(folder)
    monkeypatch.setenv("OIDC", "hunter2")
    assert "hunter2" not in repr(open_sign_on(load_deployment(folder, folder.parent / "home")))


def test_the_templates_section_is_right_as_it_stands_there(folder: Path) -> None:
    template = (CHECKOUT / "resources" / "deployment_template" / "deployment.yaml").read_text(
        encoding="utf-8"
    )
    section = template[template.index("# oidc:") :].split("\n\n")[0]
    (folder / "sso-ca.pem").write_text("")
    main = folder / "deployment.yaml"
    shown = "\n".join(line.removeprefix("# ") for line in section.splitlines())
    main.write_text(f"{main.read_text(encoding='utf-8')}\n{shown}\n", encoding="utf-8")
    config = load_deployment(folder, folder.parent / "home").oidc
    assert config is not None and config.user_of("zhang.san") == "audit_reviewer"
