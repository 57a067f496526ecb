"""Defects of the money that follows a policy: endorsements, instalments, receipts, commission; and business that the GL lacks.

Where the ledger must not speak, endorsements without money are used, or amounts that no account holds.
"""

from __future__ import annotations

from collections.abc import Callable

from resources.reference_core.answer_key import Scalar
from resources.reference_core.defect_plan import DefectRequest
from resources.reference_core.defect_shapes import Answer, Values, answer, number, row_kind, shifted, window
from resources.reference_core.injection import Injector, Kind, Row

# Policies with exactly one endorsement, both within the window.
_ENDORSEMENT = """
    SELECT e.policy_no, e.endorsement_no, e.premium_before_cents, e.premium_after_cents
    FROM endorsement e JOIN policy p ON p.policy_no = e.policy_no
    WHERE p.org_code = ? AND p.signed_on BETWEEN ? AND ? AND e.effective_on BETWEEN ? AND ?
      AND p.endorsement_count = 1 AND e.endorsement_type = ?
    ORDER BY e.endorsement_no
"""
_INSTALMENT = """
    SELECT i.policy_no, i.seq, i.amount_cents FROM instalment i JOIN policy p ON p.policy_no = i.policy_no
    WHERE p.org_code = ? AND p.signed_on BETWEEN ? AND ? AND i.seq = 1
    ORDER BY i.policy_no
"""
_MOTOR_RECEIPT = """
    SELECT p.policy_no, y.payment_no, y.paid_on FROM policy p
    JOIN planned_fee f ON f.business_no = p.policy_no JOIN payment y ON y.fee_no = f.fee_no
    WHERE p.org_code = ? AND p.signed_on BETWEEN ? AND ? AND p.line IN ('JQ', 'SY') AND f.kind = 'P'
    ORDER BY p.policy_no
"""
_COMMISSION = """
    SELECT c.policy_no, c.seq, c.base_cents, c.payable_cents, c.rate_bp FROM commission c
    WHERE c.org_code = ? AND c.accrued_on BETWEEN ? AND ? AND c.endorsement_no IS NULL AND c.payable_cents > 0
    ORDER BY c.policy_no
"""
_OWED_MONTH = """
    SELECT c.policy_no, '6421' || c.org_code || c.line || SUBSTR(c.accrued_on, 1, 7),
        c.line, c.seq, c.base_cents, c.payable_cents, c.rate_bp, REPLACE(SUBSTR(c.accrued_on, 1, 7), '-', '')
    FROM commission c
    WHERE c.org_code = ? AND c.accrued_on BETWEEN ? AND ? AND c.endorsement_no IS NULL AND c.payable_cents > 0
    ORDER BY c.policy_no
"""
_WRITTEN_MONTH = """
    SELECT p.policy_no, '6031' || p.org_code || p.line || SUBSTR(p.signed_on, 1, 7),
        p.line, p.premium_net_cents, p.vat_cents, REPLACE(SUBSTR(p.signed_on, 1, 7), '-', '')
    FROM policy p
    WHERE p.org_code = ? AND p.signed_on BETWEEN ? AND ?
    ORDER BY p.policy_no
"""


def endorsement_row(injector: Injector, request: DefectRequest, organisation: str, kind: str) -> Row | None:
    return injector.draw(_ENDORSEMENT, (organisation, *window(request), *window(request), kind))


def break_chain(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """D06: the premium before the endorsement does not lead to the premium after it."""
    row = endorsement_row(injector, request, organisation, "保费变更")
    if row is None:
        return None
    wrong = number(row[2]) + injector.cents()
    undo = injector.update("endorsement", {"premium_before_cents": wrong}, {"endorsement_no": row[1]})
    return answer("PDXXB", {"PDH": row[1]}, "BFBHL", "D06", organisation, undo)


def orphan_endorsement(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E02: an endorsement of the branch names a policy that does not exist; without money, so the GL still agrees."""
    row = endorsement_row(injector, request, organisation, "信息变更")
    if row is None:
        return None
    undo = injector.update("endorsement", {"policy_no": missing(row[0])}, {"endorsement_no": row[1]})
    return answer("PDXXB", {"PDH": row[1]}, "BDH", "E02", organisation, undo)


def shift_endorsement(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E03: before and after are both off by the same amount, so the endorsement agrees with itself only."""
    row = endorsement_row(injector, request, organisation, "保费变更")
    if row is None:
        return None
    off = injector.cents()
    values: Values = {
        "premium_before_cents": number(row[2]) + off,
        "premium_after_cents": number(row[3]) + off,
    }
    undo = injector.update("endorsement", values, {"endorsement_no": row[1]})
    return answer("PDXXB", {"PDH": row[1]}, "PGHBF", "E03", organisation, undo)


def commission_kind(field: str, condition: str, change: Callable[[Injector, Row], Values]) -> Kind:
    """A defect in the commission on a policy as signed, which stays what the ledger has."""
    return row_kind(
        _COMMISSION.replace("ORDER", f"AND {condition} ORDER"),
        1,
        "commission",
        lambda row: {"policy_no": row[0], "seq": row[1]},
        change,
        ("SXFMXB", lambda row: {"BDH": row[0], "SXFXH": row[1]}, field),
    )


def overstate_commission(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """R03: base and commission are too high alike; the ledger knows nothing of it."""
    row = injector.draw(_OWED_MONTH, (organisation, *window(request)), touches=2)
    if row is None:
        return None
    hundreds = injector.days(1, 50)  # of yuan on the base, so that the commission stays whole cents
    values: Values = {
        "base_cents": number(row[4]) + hundreds * 10_000,
        "payable_cents": number(row[5]) + hundreds * number(row[6]),
    }
    undo = injector.update("commission", values, {"policy_no": row[0], "seq": row[3]})
    key = ledger_key(organisation, f"6421{row[2]}", row[7])
    return answer("ZZKJQKMB", key, "BQJF", "R03", organisation, undo)


def tax_as_income(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """R01: part of the VAT stands as premium without VAT, so the business shows more income than account 6031."""
    row = injector.draw(_WRITTEN_MONTH, (organisation, *window(request)), touches=2)
    if row is None:
        return None
    off = 1 + injector.cents() % max(1, number(row[4]))
    values: Values = {"premium_net_cents": number(row[3]) + off, "vat_cents": number(row[4]) - off}
    undo = injector.update("policy", values, {"policy_no": row[0]})
    key = ledger_key(organisation, f"6031{row[2]}", row[5])
    return answer("ZZKJQKMB", key, "BQDF", "R01", organisation, undo)


def ledger_key(organisation: str, account: str, period: Scalar) -> Values:
    return {"FZJGDM": organisation, "KMBH": account, "KJQJ": period, "HBDM": "CNY"}


def missing(policy_no: Scalar) -> str:
    """A policy number of the same branch, line and year that does not exist."""
    return f"{str(policy_no)[:-8]}9{str(policy_no)[-7:]}"


def kinds() -> dict[str, Kind]:
    return {
        "D06": break_chain,
        "D11": commission_kind(
            "YFSXF", "c.rate_bp > 0", lambda i, row: {"base_cents": number(row[2]) + i.cents()}
        ),
        # The same commission as a higher share of less: nothing else changes.
        "D12": commission_kind(
            "SXFBL",
            "c.line <> 'JQ'",
            lambda _, row: {"rate_bp": 2_500, "base_cents": number(row[3]) * 4},
        ),
        "D13": commission_kind(
            "SXFBL",
            "c.line = 'JQ'",
            lambda _, row: {"rate_bp": 1_000, "base_cents": number(row[3]) * 10},
        ),
        "D14": row_kind(
            _INSTALMENT,
            1,
            "instalment",
            lambda row: {"policy_no": row[0], "seq": row[1]},
            lambda i, row: {"amount_cents": number(row[2]) + i.cents()},
            ("BDXXB", lambda row: {"BDH": row[0]}, "BF"),
        ),
        "E02": orphan_endorsement,
        "E03": shift_endorsement,
        "E14": row_kind(
            _MOTOR_RECEIPT,
            1,
            "payment",
            lambda row: {"payment_no": row[1]},
            lambda i, row: {"paid_on": shifted(row[2], i.days(1, 6))},
            ("BDXXB", lambda row: {"BDH": row[0]}, "BF"),
        ),
        "R01": tax_as_income,
        "R03": overstate_commission,
    }
