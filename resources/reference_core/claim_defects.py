"""Defects of claims, their payments and expenses: dates, status, sums, payees, claims that are gone.

A defect touches the policy and the claim, since one kind tears the two apart.
"""

from __future__ import annotations

from collections.abc import Callable

from resources.reference_core.defect_plan import DefectRequest
from resources.reference_core.defect_shapes import Answer, Values, answer, number, row_kind, shifted, window
from resources.reference_core.injection import Injector, Kind, Row
from resources.reference_core.premium_defects import ledger_key, missing

# Claims that occurred in the window, on a policy signed in it.
_ACCIDENT = """
    SELECT c.policy_no, c.claim_no, c.occurred_on, p.starts_on FROM claim c JOIN policy p ON p.policy_no = c.policy_no
    WHERE c.org_code = ? AND p.signed_on BETWEEN ? AND ? AND c.occurred_on BETWEEN ? AND ? AND c.reported_on <= ?
    ORDER BY c.claim_no
"""
# Claims reported and closed within the window.
_CLOSED = """
    SELECT c.policy_no, c.claim_no, c.expense_cents, c.settled_cents FROM claim c
    WHERE c.org_code = ? AND c.reported_on BETWEEN ? AND ? AND c.closed_on BETWEEN ? AND ?
    ORDER BY c.claim_no
"""
_PAID_UP = _CLOSED.replace("ORDER", "AND c.settled_cents > 0 ORDER")
# Claims registered in the window and open to this day, nothing paid.
_OPEN = """
    SELECT c.policy_no, c.claim_no FROM claim c
    WHERE c.org_code = ? AND c.reported_on BETWEEN ? AND ? AND c.registered_on BETWEEN ? AND ?
      AND c.status = '已立案' AND c.settled_cents = 0
    ORDER BY c.claim_no
"""
# Closed without payment, one expense, within the window.
_WITHOUT_PAYMENT = """
    SELECT c.policy_no, c.claim_no FROM claim c JOIN claim_expense x ON x.claim_no = c.claim_no
    WHERE c.org_code = ? AND c.reported_on BETWEEN ? AND ? AND c.closed_on <= ? AND c.settled_cents = 0
    GROUP BY c.policy_no, c.claim_no HAVING COUNT(*) = 1
    ORDER BY c.claim_no
"""
# Claims with exactly one payment, policy signed and claim occurred and paid within the window, nothing recovered.
_CLAIM = """
    SELECT c.policy_no, c.claim_no, c.settled_cents, y.calculation_no, y.seq, y.payment_no,
        '6511' || c.org_code || c.line || SUBSTR(y.paid_on, 1, 7), c.line,
        REPLACE(SUBSTR(y.paid_on, 1, 7), '-', ''), y.counterparty_name
    FROM claim c JOIN policy p ON p.policy_no = c.policy_no JOIN payment y ON y.claim_no = c.claim_no
    WHERE c.org_code = ? AND p.signed_on BETWEEN ? AND ? AND c.occurred_on >= ?
      AND c.claim_no NOT IN (SELECT claim_no FROM recovery)
    GROUP BY c.claim_no HAVING COUNT(*) = 1 AND MAX(y.paid_on) <= ?
    ORDER BY c.claim_no
"""
_TO_INSURED = _CLAIM.replace("GROUP", "AND y.relation = '本人' GROUP")
# The month of the ledger first, so that no two defects are told by one finding.
_CLAIM_BY_MONTH = _CLAIM.replace(
    "SELECT c.policy_no,", "SELECT c.policy_no, '6511' || c.org_code || c.line || SUBSTR(y.paid_on, 1, 7),"
)
_STAFF_ACCOUNT = (
    "SELECT bank_account FROM staff WHERE org_code = ? AND status = '在职' ORDER BY staff_id LIMIT 1"
)


def _claim(row: Row) -> Values:
    return {"claim_no": row[1]}


def claim_kind(field: str, candidates: str, dates: int, change: Callable[[Injector, Row], Values]) -> Kind:
    """A defect in one claim row, blamed on `field` of PAXXB."""

    def key(row: Row) -> Values:
        return {"PAH": row[1]}

    return row_kind(candidates, dates, "claim", _claim, change, ("PAXXB", key, field), touches=2)


def payment_kind(field: str, change: Callable[[Injector, Row, str], Values]) -> Kind:
    """A defect in the one payment of a claim, to the insured himself; blamed on `field` of PKZFB."""

    def inject_one(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
        row = injector.draw(_TO_INSURED, (organisation, *window(request) * 2), touches=2)
        if row is None:
            return None
        undo = injector.update("payment", change(injector, row, organisation), {"payment_no": row[5]})
        key: Values = {"PAH": row[1], "JSSH": row[3], "ZFXH": row[4]}
        return answer("PKZFB", key, field, request.kind, organisation, undo)

    return inject_one


def date_claim(field: str, change: Callable[[Injector, Row], Values]) -> Kind:
    """A claim's date is wrong; the accident lies late enough that its report still falls into the window."""

    def inject_one(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
        start, end = window(request)
        row = injector.draw(_ACCIDENT, (organisation, start, end, shifted(start, 9), end, end), touches=2)
        if row is None:
            return None
        undo = injector.update("claim", change(injector, row), {"claim_no": row[1]})
        return answer("PAXXB", {"PAH": row[1]}, field, request.kind, organisation, undo)

    return inject_one


def lose_claim(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E06: the claim of a payment is gone."""
    row = injector.draw(_CLAIM, (organisation, *window(request) * 2), touches=2)
    if row is None:
        return None
    undo = injector.delete("claim", {"claim_no": row[1]})
    key: Values = {"PAH": row[1], "JSSH": row[3], "ZFXH": row[4]}
    return answer("PKZFB", key, "PAH", "E06", organisation, undo)


def lose_claim_without_payment(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E06-ZJLPFYXXB: the claim of an expense is gone."""
    row = injector.draw(_WITHOUT_PAYMENT, (organisation, *window(request), window(request)[1]), touches=2)
    if row is None:
        return None
    undo = injector.delete("claim", {"claim_no": row[1]})
    key: Values = {"PAH": row[1], "FYXH": 1}
    return answer("ZJLPFYXXB", key, "PAH", request.kind, organisation, undo)


def overstate_payment(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """R02: claim and payment are too high alike; the ledger knows nothing of it."""
    row = injector.draw(_CLAIM_BY_MONTH, (organisation, *window(request) * 2), touches=3)
    if row is None:
        return None
    more = number(row[3]) + injector.cents()
    undo = (
        injector.update("claim", {"settled_cents": more}, {"claim_no": row[2]}),
        injector.update("payment", {"amount_cents": more}, {"payment_no": row[6]}),
    )
    key = ledger_key(organisation, f"6511{row[8]}", row[9])
    return answer("ZZKJQKMB", key, "BQJF", "R02", organisation, *undo)


def _account_of_staff(injector: Injector, organisation: str) -> Values:
    ((account,),) = injector.rows(_STAFF_ACCOUNT, (organisation,))
    return {"counterparty_account": account}


def kinds() -> dict[str, Kind]:
    return {
        "D03": date_claim("BARQ", lambda i, row: {"reported_on": shifted(row[2], -i.days(1, 9))}),
        "D04": date_claim("CXRQ", lambda i, row: {"occurred_on": shifted(row[3], -i.days(1, 20))}),
        "D07": claim_kind("WJPK", _CLOSED, 2, lambda i, _: {"reserve_cents": i.cents()}),
        "D08": claim_kind("JALX", _OPEN, 2, lambda _, __: {"close_type": "零结案"}),
        "D09": claim_kind("YJPK", _PAID_UP, 2, lambda _, __: {"close_type": "零结案"}),
        "E05": claim_kind("BDH", _CLOSED, 2, lambda _, row: {"policy_no": missing(row[0])}),
        "E06": lose_claim,
        "E06-ZJLPFYXXB": lose_claim_without_payment,
        "E07": claim_kind("YJPK", _CLAIM, 2, lambda i, row: {"settled_cents": number(row[2]) + i.cents()}),
        "E08": claim_kind("ZJLPFY", _CLOSED, 2, lambda i, row: {"expense_cents": number(row[2]) + i.cents()}),
        "E09": payment_kind("SKRMC", lambda _, row, __: {"counterparty_name": f"{row[9]}之友"}),
        "E15": payment_kind("SKRYHZH", lambda i, _, organisation: _account_of_staff(i, organisation)),
        "R02": overstate_payment,
    }
