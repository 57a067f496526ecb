"""Notices as a deployment writes them: every mistake with its line, no secret in plain text, nothing in clear text but on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.errors import LANGUAGE, BadInput
from resources.deployment import Deployment, NoticesConfig, load_deployment
from resources.settings import CHECKOUT

DEMO = CHECKOUT / "resources" / "demo" / "deployment"
MAIL = "  mail: {{host: smtp.example.cn, sender: b@example.cn{more}}}\n"
HOOK = "  webhooks:\n    - {{name: hub, kind: {kind}, url: '{url}', roles: [{roles}]{more}}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "deployment"))


def loaded(folder: Path, notices: str) -> Deployment:
    main = folder / "deployment.yaml"
    main.write_text(main.read_text(encoding="utf-8") + f"notices:{notices}", encoding="utf-8")
    return load_deployment(folder, folder.parent / "home")


def mistakes(folder: Path, notices: str) -> list[tuple[str, str]]:
    """Code and place of what is wrong; both languages have words for it, and none tells a value that may be a secret."""
    with pytest.raises(BadInput) as bad:
        loaded(folder, notices)
    for detail in bad.value.details:
        for language in ("zh", "en"):
            token = LANGUAGE.set(language)
            assert str(detail).startswith(str(detail.values["file"]))
            assert "hunter2" not in str(detail)
            LANGUAGE.reset(token)
    return [(detail.code, str(detail.values["place"])) for detail in bad.value.details]


def hook(
    *, kind: str = "json", url: str = "https://hub.example.cn/n", roles: str = "auditor", more: str = ""
) -> str:
    return "\n" + HOOK.format(kind=kind, url=url, roles=roles, more=more and f", {more}")


def mail(more: str = "") -> str:
    return "\n" + MAIL.format(more=more and f", {more}")


def test_a_deployment_without_notices_tells_nobody(folder: Path) -> None:
    assert load_deployment(folder, folder.parent / "home").notices is None


def test_notices_alone_stand_in_the_desk(folder: Path) -> None:
    assert loaded(folder, " {}\n").notices == NoticesConfig()


def test_all_of_it(folder: Path) -> None:
    text = (
        "\n  digest_minutes: 15\n"
        + MAIL.format(more=", port: 25, username: b, password: env:SMTP_PASSWORD")
        + HOOK.format(
            kind="dingtalk",
            url="https://oapi.dingtalk.com/robot/send",
            roles="auditor, it",
            more=", token: env:T, secret: env:S",
        )
    )
    notices = loaded(folder, text).notices
    assert notices is not None and notices.mail is not None
    assert (notices.digest_minutes, notices.mail.port, notices.mail.starttls) == (15, 25, "required")
    assert [each.roles for each in notices.webhooks] == [frozenset({"auditor", "it"})]


@pytest.mark.parametrize(
    ("more", "code", "place"),
    [
        ("username: b, password: hunter2", "deployment.plain_secret", "notices.mail.password"),
        ("username: b", "deployment.mail_login", "notices.mail"),
        ("starttls: never", "deployment.mail_unencrypted", "notices.mail"),
        ("starttls: maybe", "deployment.value", "notices.mail.starttls"),
        ("port: 0", "deployment.value", "notices.mail.port"),
        ("user: b", "deployment.unknown_key", "notices.mail.user"),
        ("ca_file: {deployment: nothing.pem}", "deployment.pinned_file_missing", "notices.mail.ca_file"),
    ],
)
def test_a_mistake_about_mail_is_named_where_it_stands(
    folder: Path, more: str, code: str, place: str
) -> None:
    assert mistakes(folder, mail(more)) == [(code, place)]


@pytest.mark.parametrize(
    ("given", "code", "place"),
    [
        ({"more": "secret: hunter2"}, "deployment.plain_secret", "notices.webhooks.0.secret"),
        ({}, "deployment.webhook_secrets", "notices.webhooks.0"),
        ({"kind": "wecom", "more": "secret: env:S"}, "deployment.webhook_secrets", "notices.webhooks.0"),
        ({"kind": "slack", "more": "secret: env:S"}, "deployment.value", "notices.webhooks.0.kind"),
        ({"url": "http://hub.example.cn/n", "more": "secret: env:S"}, "deployment.notice_http", "notices.webhooks.0.url"),
        ({"url": "https://h.cn/n?key=hunter2", "more": "secret: env:S"}, "deployment.notice_url_secret", "notices.webhooks.0.url"),
        ({"url": "https://u:hunter2@h.cn", "more": "secret: env:S"}, "deployment.notice_url_secret", "notices.webhooks.0.url"),
        ({"url": "file:///etc/passwd", "more": "secret: env:S"}, "deployment.notice_url", "notices.webhooks.0.url"),
        ({"url": "https://h.cn:99999/", "more": "secret: env:S"}, "deployment.notice_url", "notices.webhooks.0.url"),
        ({"roles": "nobody", "more": "secret: env:S"}, "deployment.unknown_role", "notices.webhooks.0.roles.0"),
    ],
)  # fmt: skip
def test_a_mistake_about_a_webhook_is_named_where_it_stands(
    folder: Path, given: dict[str, str], code: str, place: str
) -> None:
    assert mistakes(folder, hook(**given)) == [(code, place)]


def test_two_webhooks_of_one_name_and_one_whose_role_nobody_holds(folder: Path) -> None:
    users = folder / "users.yaml"
    users.write_text(
        users.read_text(encoding="utf-8").replace("roles: [actuarial]", "roles: [it]"), encoding="utf-8"
    )
    routes = folder / "routes.yaml"
    routes.write_text(routes.read_text(encoding="utf-8").replace("actuarial, ", ""), encoding="utf-8")
    one = HOOK.format(kind="json", url="https://h.cn", roles="actuarial", more=", secret: env:S")
    two = one.removeprefix("  webhooks:\n").replace("actuarial", "it")
    assert mistakes(folder, "\n" + one + two) == [
        ("deployment.role_nobody_holds", "notices.webhooks.0.roles"),
        ("deployment.webhook_twice", "notices.webhooks.1.name"),
    ]


def test_plain_http_and_plain_mail_are_for_this_machine(folder: Path) -> None:
    text = "\n  mail: {host: 127.0.0.1, starttls: never, sender: b@example.cn}\n" + HOOK.format(
        kind="json", url="http://127.0.0.1:8080/n", roles="auditor", more=", secret: env:S"
    )
    assert loaded(folder, text).notices is not None


@pytest.mark.parametrize(
    "address",
    ["zhang", "a@b@c", "张@example.cn", '"a\\nBcc: x"@example.cn', "a b@example.cn", "a@example.cn\\r\\n"],
)
def test_a_mail_address_is_a_plain_one(folder: Path, address: str) -> None:
    users = folder / "users.yaml"
    quoted = "'" + address + "'" if "\\" not in address else '"' + address.replace('"', "") + '"'
    text = users.read_text(encoding="utf-8").replace("  executive:\n", f"  executive:\n    mail: {quoted}\n")
    users.write_text(text, encoding="utf-8")
    assert mistakes(folder, " {}\n") == [("deployment.value", "users.executive.mail")]
