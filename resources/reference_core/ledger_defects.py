"""Defects of the general ledger and its vouchers. A branch's month carries at most one, for rules look at it as a whole.

R10 damages the whole company's ledger, which stands in filings about all branches only; there R07 shows in it as well.
"""

from __future__ import annotations

from resources.reference_core.catalogue import HEAD_OFFICE
from resources.reference_core.defect_plan import DefectRequest
from resources.reference_core.defect_shapes import Answer, Values, answer, number, periods
from resources.reference_core.injection import Injector, Kind, Row
from resources.reference_core.premium_defects import ledger_key

_MONTH = """
    SELECT 'GL' || g.org_code || g.period, 'GL' || g.account_no || g.period,
        g.account_no, g.period, g.debit_cents, g.credit_cents, g.closing_debit_cents
    FROM gl_balance g JOIN gl_account a ON a.account_no = g.account_no
    WHERE g.org_code = ? AND g.period BETWEEN ? AND ? AND {accounts}
    ORDER BY g.account_no, g.period
"""
_LEAVES = _MONTH.format(accounts="a.level = 1 AND a.is_leaf = 1")
# What is wrong at a month's end shows in the opening of the next one too, so that month is touched as well.
_ASSETS = """
    SELECT 'GL' || org_code || period, 'GL' || account_no || period,
        'GL' || org_code || next_period, 'GL' || account_no || next_period,
        account_no, period, closing_debit_cents
    FROM (
        SELECT *, CAST(CAST(period AS INTEGER) + CASE WHEN period LIKE '%12' THEN 89 ELSE 1 END AS TEXT) AS next_period
        FROM gl_balance
    )
    WHERE org_code = ? AND period BETWEEN ? AND ? AND account_no IN ('1002', '1122')
    ORDER BY account_no, period
"""
_PARENTS = _MONTH.format(accounts="a.is_leaf = 0")
# Its months may carry several: the company's sums are told account by account.
_COMPANY = """
    SELECT 'GL' || g.account_no || g.period, 'GL' || g.account_no || g.period,
        g.account_no, g.period, g.debit_cents, g.credit_cents
    FROM gl_balance g JOIN gl_account a ON a.account_no = g.account_no
    WHERE g.org_code = ? AND g.period BETWEEN ? AND ? AND a.level = 1 AND a.is_leaf = 1
    ORDER BY g.account_no, g.period
"""
# Every other month: a difference that goes on is blamed on its first month only.
_CAPITAL = _MONTH.format(accounts="a.account_no = '4001' AND CAST(g.period AS INTEGER) % 2 = 1")
_VOUCHER = """
    SELECT 'GL' || org_code || period, voucher_no, line_no, debit_cents FROM voucher
    WHERE org_code = ? AND period BETWEEN ? AND ? AND line_no = 1 AND debit_cents <> 0
    ORDER BY voucher_no
"""


def inflate_both_sides(injector: Injector, row: Row, organisation: str) -> tuple[Values, Values]:
    """What to change and where: a month's debits and credits are too high alike, so the balance stays."""
    off = injector.cents()
    values: Values = {"debit_cents": number(row[4]) + off, "credit_cents": number(row[5]) + off}
    return values, {"org_code": organisation, "account_no": row[2], "period": row[3]}


def entries_without_voucher(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """R05: entries that cancel each other and that no voucher has."""
    row = injector.draw(_LEAVES, (organisation, *periods(request)), touches=2)
    if row is None:
        return None
    undo = injector.update("gl_balance", *inflate_both_sides(injector, row, organisation))
    key = ledger_key(organisation, str(row[2]), row[3])
    return answer("ZZKJQKMB", key, "BQJF", "R05", organisation, undo)


def entries_above_the_leaves(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """R08: entries that cancel each other on an account that has others below it."""
    row = injector.draw(_PARENTS, (organisation, *periods(request)), touches=2)
    if row is None:
        return None
    undo = injector.update("gl_balance", *inflate_both_sides(injector, row, organisation))
    key = ledger_key(organisation, str(row[2]), row[3])
    return answer("ZZKJQKMB", key, "BQJF", "R08", organisation, undo)


def entries_of_no_branch(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """R10: entries that cancel each other in the company's ledger and that no branch has."""
    row = injector.draw(_COMPANY, (HEAD_OFFICE, *periods(request)), touches=2)
    if row is None:
        return None
    undo = injector.update("gl_balance", *inflate_both_sides(injector, row, HEAD_OFFICE))
    key = ledger_key(HEAD_OFFICE, str(row[2]), row[3])
    return answer("ZZKJQKMB", key, "BQJF", "R10", organisation, undo)


def lose_capital(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """R07: a branch's ledger of a month lacks its capital, which never moves, so debits and credits differ.

    The company's capital of that month is then more than its branches' (R10).
    """
    row = injector.draw(_CAPITAL, (organisation, *periods(request)), touches=2)
    if row is None:
        return None
    where: Values = {"org_code": organisation, "account_no": row[2], "period": row[3]}
    undo = injector.delete("gl_balance", where)
    branch = ledger_key(organisation, "合计", row[3])
    company = ledger_key(HEAD_OFFICE, str(row[2]), row[3])
    return (
        *answer("ZZKJQKMB", branch, "QMJF", "R07", organisation, undo),
        *answer("ZZKJQKMB", company, "QMJF", "R10", organisation),
    )


def break_balance(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """R06: one month's closing balance is not opening plus movement."""
    row = injector.draw(_ASSETS, (organisation, *periods(request)), touches=4)
    if row is None:
        return None
    values: Values = {"closing_debit_cents": number(row[6]) + injector.cents()}
    where: Values = {"org_code": organisation, "account_no": row[4], "period": row[5]}
    undo = injector.update("gl_balance", values, where)
    key = ledger_key(organisation, str(row[4]), row[5])
    return answer("ZZKJQKMB", key, "QMJF", "R06", organisation, undo)


def unbalance_voucher(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """R04: the first line's debit is off."""
    row = injector.draw(_VOUCHER, (organisation, *periods(request)))
    if row is None:
        return None
    values: Values = {"debit_cents": number(row[3]) + injector.cents()}
    where: Values = {"org_code": organisation, "voucher_no": row[1], "line_no": row[2]}
    undo = injector.update("voucher", values, where)
    key: Values = {"FZJGDM": organisation, "PZH": row[1], "FLH": row[2]}
    return answer("CWPZXXB", key, "JFJE", "R04", organisation, undo)


def kinds() -> dict[str, Kind]:
    return {
        "R04": unbalance_voucher,
        "R05": entries_without_voucher,
        "R06": break_balance,
        "R07": lose_capital,
        "R08": entries_above_the_leaves,
        "R10": entries_of_no_branch,
    }
