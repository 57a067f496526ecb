"""Defects of the general ledger: income that the business does not show, balances that do not carry on.

And the register of all kinds, by the rule that must find them.
"""

from __future__ import annotations

from resources.reference_core.answer_key import Defect, Scalar, key_text
from resources.reference_core.defect_kinds import customer_kinds, event_kinds, policy_kinds
from resources.reference_core.defect_plan import DefectRequest
from resources.reference_core.injection import Injector, Kind, Row

_INCOME = """
    SELECT 'GL' || org_code || account_no || period, account_no, period FROM gl_balance
    WHERE org_code = ? AND period BETWEEN ? AND ? AND account_no LIKE '6031%' AND credit_cents <> 0
    ORDER BY account_no, period
"""
_ASSETS = """
    SELECT 'GL' || org_code || account_no || period, account_no, period, closing_debit_cents FROM gl_balance
    WHERE org_code = ? AND period BETWEEN ? AND ? AND account_no IN ('1002', '1122', '6601')
    ORDER BY account_no, period
"""


def _periods(request: DefectRequest) -> tuple[str, str]:
    return f"{request.signed_from:%Y%m}", f"{request.signed_to:%Y%m}"


def _key(organisation: str, row: Row) -> str:
    return key_text({"FZJGDM": organisation, "KMBH": row[1], "KJQJ": row[2], "HBDM": "CNY"})


def inflate_income(
    injector: Injector, request: DefectRequest, organisation: str
) -> tuple[Defect, ...] | None:
    """R01: one month's 6031 of a line is too high; all balances carry it on, so R06 still holds."""
    row = injector.draw(_INCOME, (organisation, *_periods(request)))
    if row is None:
        return None
    off = injector.cents()
    later = injector.rows(
        "SELECT period, opening_credit_cents, credit_cents, closing_credit_cents FROM gl_balance"
        " WHERE org_code = ? AND account_no = ? AND period >= ? ORDER BY period",
        (organisation, row[1], row[2]),
    )
    repairs = tuple(
        injector.update(
            "gl_balance",
            {
                "opening_credit_cents": int(str(opening)) + (off if period != row[2] else 0),
                "credit_cents": int(str(credit)) + (off if period == row[2] else 0),
                "closing_credit_cents": int(str(closing)) + off,
            },
            {"org_code": organisation, "account_no": row[1], "period": period},
        )
        for period, opening, credit, closing in later
    )
    return (Defect("ZZKJQKMB", _key(organisation, row), "BQDF", "R01", organisation, repairs),)


def break_balance(injector: Injector, request: DefectRequest, organisation: str) -> tuple[Defect, ...] | None:
    """R06: one month's closing balance is not opening plus movement."""
    row = injector.draw(_ASSETS, (organisation, *_periods(request)))
    if row is None:
        return None
    values: dict[str, Scalar] = {"closing_debit_cents": int(str(row[3])) + injector.cents()}
    where: dict[str, Scalar] = {"org_code": organisation, "account_no": row[1], "period": row[2]}
    undo = injector.update("gl_balance", values, where)
    return (Defect("ZZKJQKMB", _key(organisation, row), "QMJF", "R06", organisation, (undo,)),)


def kinds() -> dict[str, Kind]:
    """Every kind of defect, by the id of the rule that must find it."""
    return {
        **customer_kinds(),
        **policy_kinds(),
        **event_kinds(),
        "R01": inflate_income,
        "R06": break_balance,
    }
