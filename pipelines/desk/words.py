"""What things are called: roles, organisations, departments, rules, tables, fields, keys – by the deployment and the standards.

A code without a name is shown as itself: what a page tells may be older than the deployment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from pipelines.errors import LANGUAGE, BaosongError, text
from resources.accounts import Account
from resources.deployment import GATES, Deployment
from resources.deployment.roles import ROLES
from validations.engine import Standard

_NONE = "—"


def role(code: str) -> str:
    zh, en = ROLES.get(code, (code, code))
    return zh if LANGUAGE.get() == "zh" else en


@pass_context
def organisation(context: Context, code: str) -> str:
    if code == "*":
        return text("desk.all_organisations")
    names = {each.code: each.name for each in _deployment(context).organisations}
    return names.get(code, code)


@pass_context
def person(context: Context, user: str) -> str:
    """Somebody's name; what acts by itself (`baosong`, `calendar`) goes by its own."""
    known = _deployment(context).users.get(user)
    return known.name if known else user


@pass_context
def department(context: Context, code: str) -> str:
    known = _deployment(context).departments.get(code)
    return getattr(known.title, LANGUAGE.get()) if known else code


@pass_context
def report_title(context: Context, standard: str, report: str) -> str:
    """A report by its standard's name and its own; codes where the deployment files by another standard now."""
    try:
        known = context["visit"].installation.standard(standard)
        titles = (known.title, known.report(report).title)
    except BaosongError:
        return f"{standard}.{report}"
    return " · ".join(getattr(title, LANGUAGE.get()) for title in titles)


def rule_text(standard: Standard, rule: str) -> str:
    """The rule in words."""
    return next((getattr(each.message, LANGUAGE.get()) for each in standard.rules if each.id == rule), rule)


def table_title(standard: Standard, table: str) -> str:
    return getattr(standard.tables[table].title, LANGUAGE.get()) if table in standard.tables else table


def field_title(standard: Standard, table: str, field: str | None) -> str:
    """The field's name with its code; a dash for a rule about the whole row."""
    if field is None:
        return _NONE
    fields = standard.tables[table].fields if table in standard.tables else ()
    title = next((getattr(each.title, LANGUAGE.get()) for each in fields if each.name == field), "")
    return f"{title} {field}".strip()


def key_text(key: str) -> str:
    """A key (canonical JSON) as its values."""
    return " · ".join(_NONE if value is None else str(value) for value in json.loads(key).values())


def gate(name: str) -> str:
    """A gate before the sign-off in words."""
    zh, en = GATES.get(name, (name, name))
    return zh if LANGUAGE.get() == "zh" else en


def account_word(account: Account | None) -> str:
    """The state of somebody's account in a word."""
    if account is None:
        return text("desk.account.none")
    if account.is_locked or account.lock_out_until:
        return text("desk.account.locked")
    if account.provider_subject:
        return text("desk.account.linked")
    if not account.has_password:
        return text("desk.account.invited")
    return text("desk.account.totp_active" if account.has_totp else "desk.account.active")


def _deployment(context: Context) -> Deployment:
    return context["visit"].installation.deployment


GLOBALS: Mapping[str, Callable[..., Any]] = {
    "role": role,
    "department": department,
    "report_title": report_title,
    "rule_text": rule_text,
    "table_title": table_title,
    "field_title": field_title,
    "key_text": key_text,
    "account_word": account_word,
    "gate": gate,
}
FILTERS: Mapping[str, Callable[..., Any]] = {"role": role, "organisation": organisation, "person": person}
