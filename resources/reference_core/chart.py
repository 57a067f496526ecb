"""The chart of accounts: what the simulated insurer books on, and which general account each account stands for.

Accounts that depend on the line of business have a leaf per line, whose number ends with the line's code. A parent's
balance is the sum of its leaves; vouchers name leaves only.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from resources.reference_core.catalogue import LINES


@dataclass(frozen=True)
class Account:
    """A GL account; `direction` is 借 or 贷, `line` the line of business that a leaf belongs to."""

    number: str
    name: str
    parent: str | None
    direction: str
    line: str | None = None


_PLAIN = (
    Account("1002", "银行存款", None, "借"),
    Account("1122", "应收保费", None, "借"),
    Account("1212", "应收分保合同准备金", None, "借"),
    Account("2202", "应付手续费", None, "贷"),
    Account("2221", "应交税费", None, "贷"),
    Account("2261", "应付分保账款", None, "贷"),
    Account("4001", "营运资金", None, "贷"),
    Account("6201", "摊回保险责任准备金", None, "贷"),
    Account("6202", "摊回赔付支出", None, "贷"),
    Account("6203", "摊回分保费用", None, "贷"),
    Account("6403", "税金及附加", None, "借"),
    Account("6541", "分出保费", None, "借"),
    Account("660101", "业务及管理费-日常费用", "6601", "借"),
    Account("660102", "业务及管理费-直接理赔费用", "6601", "借"),
)
_BY_LINE = (
    ("2601", "2601", "未到期责任准备金", "贷"),
    ("2602", "260201", "未决赔款准备金-已报案", "贷"),
    ("2602", "260202", "未决赔款准备金-已发生未报案", "贷"),
    ("2602", "260203", "未决赔款准备金-理赔费用", "贷"),
    ("6031", "6031", "保费收入", "贷"),
    ("6421", "6421", "手续费及佣金支出", "借"),
    ("6501", "6501", "提取未到期责任准备金", "借"),
    ("6502", "6502", "提取未决赔款准备金", "借"),
    ("6511", "6511", "赔付支出", "借"),
)
_PARENTS = (
    Account("2601", "未到期责任准备金", None, "贷"),
    Account("2602", "未决赔款准备金", None, "贷"),
    Account("6031", "保费收入", None, "贷"),
    Account("6421", "手续费及佣金支出", None, "借"),
    Account("6501", "提取未到期责任准备金", None, "借"),
    Account("6502", "提取未决赔款准备金", None, "借"),
    Account("6511", "赔付支出", None, "借"),
    Account("6601", "业务及管理费", None, "借"),
)


def _by_number(accounts: list[Account]) -> tuple[Account, ...]:
    return tuple(sorted(accounts, key=lambda account: account.number))


LEAF_ACCOUNTS = _by_number(
    [
        *_PLAIN,
        *(
            Account(f"{prefix}{line.code}", f"{name}-{line.name}", parent, direction, line.code)
            for parent, prefix, name, direction in _BY_LINE
            for line in LINES
        ),
    ]
)
ACCOUNTS = _by_number([*_PARENTS, *LEAF_ACCOUNTS])


def make_accounts() -> pl.DataFrame:
    leaves = {account.number for account in LEAF_ACCOUNTS}
    return pl.DataFrame(
        [
            {
                "account_no": account.number,
                "name": account.name,
                "level": 1 if account.parent is None else 2,
                "parent_no": account.parent,
                "direction": account.direction,
                "is_leaf": int(account.number in leaves),
            }
            for account in ACCOUNTS
        ],
        schema_overrides={"parent_no": pl.String},
    )


def make_account_map() -> pl.DataFrame:
    names = {account.number: account.name for account in ACCOUNTS}
    return pl.DataFrame(
        [
            {
                "internal_no": account.number,
                "internal_name": account.name,
                "account_no": account.number[:4],
                "account_name": names[account.parent or account.number],
                "direction": account.direction,
                "line": account.line,
                "valid_from": "2020-01-01",
                "valid_to": None,
            }
            for account in ACCOUNTS
        ],
        schema_overrides={"line": pl.String, "valid_to": pl.String},
    )
