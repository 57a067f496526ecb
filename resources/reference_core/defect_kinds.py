"""What each kind of defect changes in the core, and which finding it must bring in the words of circ_audit.

A kind is named by the rule that finds it and is built so that no other rule does: rows with endorsements or claims are
avoided where a change would reach them, zero-change endorsements are used where money would have to agree elsewhere.
Defects of the GL are in `ledger_kinds`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from resources.reference_core.answer_key import Defect, Scalar, Statement, key_text
from resources.reference_core.check_digits import broken_check
from resources.reference_core.defect_plan import DefectRequest
from resources.reference_core.injection import Injector, Row

Answer = tuple[Defect, ...] | None

_POLICY = """
    SELECT policy_no, signed_on, starts_on, vat_cents FROM policy
    WHERE org_code = ? AND signed_on BETWEEN ? AND ? AND intermediary_code IS NULL
      AND policy_no NOT IN (SELECT policy_no FROM endorsement)
      AND policy_no NOT IN (SELECT policy_no FROM claim)
    ORDER BY policy_no
"""
_CUSTOMER = """
    SELECT c.customer_id, c.id_no, c.sex, c.born_on, c.address FROM customer c
    WHERE c.customer_id IN (SELECT applicant_id FROM policy WHERE org_code = ? AND signed_on BETWEEN ? AND ?)
      AND c.customer_type = ?
    ORDER BY c.customer_id
"""
# Policies with exactly one endorsement, both within the window.
_ENDORSEMENT = """
    SELECT e.policy_no, e.endorsement_no, e.premium_before_cents, e.premium_after_cents
    FROM endorsement e JOIN policy p ON p.policy_no = e.policy_no
    WHERE p.org_code = ? AND p.signed_on BETWEEN ? AND ? AND e.effective_on BETWEEN ? AND ?
      AND p.endorsement_count = 1 AND e.endorsement_type = ?
    ORDER BY e.endorsement_no
"""
# Claims that occurred in the window, on a policy signed in it.
_ACCIDENT = """
    SELECT c.policy_no, c.claim_no, c.occurred_on FROM claim c JOIN policy p ON p.policy_no = c.policy_no
    WHERE c.org_code = ? AND p.signed_on BETWEEN ? AND ? AND c.occurred_on BETWEEN ? AND ? AND c.reported_on <= ?
    ORDER BY c.claim_no
"""
# Claims with exactly one payment, policy signed and claim occurred and paid within the window.
_CLAIM = """
    SELECT c.policy_no, c.claim_no, c.occurred_on, c.settled_cents, c.line,
           y.calculation_no, y.seq
    FROM claim c JOIN policy p ON p.policy_no = c.policy_no JOIN payment y ON y.claim_no = c.claim_no
    WHERE c.org_code = ? AND p.signed_on BETWEEN ? AND ? AND c.occurred_on >= ?
    GROUP BY c.claim_no HAVING COUNT(*) = 1 AND MAX(y.paid_on) <= ?
    ORDER BY c.claim_no
"""
_LONG = "（地址过长的示例）" * 80


def _window(request: DefectRequest) -> tuple[str, str]:
    return request.signed_from.isoformat(), request.signed_to.isoformat()


def _shifted(day: Scalar, days: int) -> str:
    return (date.fromisoformat(str(day)) + timedelta(days=days)).isoformat()


def _one(
    table: str, key: dict[str, Scalar], field: str, rule: str, organisation: str, undo: Statement
) -> tuple[Defect, ...]:
    return (Defect(table, key_text(key), field, rule, organisation, (undo,)),)


def policy_kind(
    field: str, change: Callable[[Injector, Row], dict[str, Scalar]]
) -> Callable[[Injector, DefectRequest, str], Answer]:
    """A defect in one policy row that has no endorsement, claim or intermediary; blamed on `field` of BDXXB."""

    def inject_one(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
        row = injector.draw(_POLICY, (organisation, *_window(request)))
        if row is None:
            return None
        undo = injector.update("policy", change(injector, row), {"policy_no": row[0]})
        return _one("BDXXB", {"BDH": row[0]}, field, request.kind, organisation, undo)

    return inject_one


def customer_kind(
    kind: str, field: str, change: Callable[[Injector, Row], dict[str, Scalar]]
) -> Callable[[Injector, DefectRequest, str], Answer]:
    """A defect in one customer row (`kind` 个人 or 单位) who took out a policy in the window; blamed on KHXXB."""

    def inject_one(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
        row = injector.draw(_CUSTOMER, (organisation, *_window(request), kind))
        if row is None:
            return None
        undo = injector.update("customer", change(injector, row), {"customer_id": row[0]})
        return _one("KHXXB", {"KHBH": row[0]}, field, request.kind, organisation, undo)

    return inject_one


def endorsement_row(injector: Injector, request: DefectRequest, organisation: str, kind: str) -> Row | None:
    return injector.draw(_ENDORSEMENT, (organisation, *_window(request), *_window(request), kind))


def claim_row(injector: Injector, request: DefectRequest, organisation: str) -> Row | None:
    return injector.draw(_CLAIM, (organisation, *_window(request), *_window(request)))


def duplicate_row(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """A customer entered a second time with another address, or an endorsement without money with another reason."""
    if injector.days(0, 3) == 0:
        row = endorsement_row(injector, request, organisation, "信息变更")
        if row is not None:
            undo = injector.duplicate("endorsement", {"endorsement_no": row[1]}, {"reason": "重复录入"})
            return _one("PDXXB", {"PDH": row[1]}, "PDH", "A02", organisation, undo)
    row = injector.draw(_CUSTOMER, (organisation, *_window(request), "个人"))
    if row is None:
        return None
    undo = injector.duplicate("customer", {"customer_id": row[0]}, {"address": f"{row[4]}（重复录入）"})
    return _one("KHXXB", {"KHBH": row[0]}, "KHBH", "A02", organisation, undo)


def break_chain(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """D06: the premium before the endorsement does not lead to the premium after it."""
    row = endorsement_row(injector, request, organisation, "保费变更")
    if row is None:
        return None
    wrong = int(str(row[2])) + injector.cents()
    undo = injector.update("endorsement", {"premium_before_cents": wrong}, {"endorsement_no": row[1]})
    return _one("PDXXB", {"PDH": row[1]}, "BFBHL", "D06", organisation, undo)


def orphan_endorsement(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E02: an endorsement of the branch names a policy that does not exist; without money, so the GL still agrees."""
    row = endorsement_row(injector, request, organisation, "信息变更")
    if row is None:
        return None
    missing = f"{str(row[0])[:-8]}9{str(row[0])[-7:]}"
    undo = injector.update("endorsement", {"policy_no": missing}, {"endorsement_no": row[1]})
    return _one("PDXXB", {"PDH": row[1]}, "BDH", "E02", organisation, undo)


def shift_endorsement(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E03: before and after are both off by the same amount, so the endorsement agrees with itself only."""
    row = endorsement_row(injector, request, organisation, "保费变更")
    if row is None:
        return None
    off = injector.cents()
    values: dict[str, Scalar] = {
        "premium_before_cents": int(str(row[2])) + off,
        "premium_after_cents": int(str(row[3])) + off,
    }
    undo = injector.update("endorsement", values, {"endorsement_no": row[1]})
    return _one("PDXXB", {"PDH": row[1]}, "PGHBF", "E03", organisation, undo)


def change_coverage(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E04: one coverage's premium is off, so the coverages do not add up to the policy."""
    row = injector.draw(_POLICY, (organisation, *_window(request)))
    if row is None:
        return None
    where: dict[str, Scalar] = {"policy_no": row[0], "seq": 1}
    (before,) = injector.read("coverage", ["premium_cents"], where)
    undo = injector.update("coverage", {"premium_cents": int(str(before)) + injector.cents()}, where)
    return _one("BDXXB", {"BDH": row[0]}, "BF", "E04", organisation, undo)


def report_before_accident(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """D03: a claim reported before it happened."""
    start, end = _window(request)
    late_enough = _shifted(start, 9)  # so that the report still falls into the window
    row = injector.draw(_ACCIDENT, (organisation, start, end, late_enough, end, end))
    if row is None:
        return None
    values: dict[str, Scalar] = {"reported_on": _shifted(row[2], -injector.days(1, 9))}
    undo = injector.update("claim", values, {"claim_no": row[1]})
    return _one("PAXXB", {"PAH": row[1]}, "BARQ", "D03", organisation, undo)


def change_settled(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E07: what the claim says was settled is not what was paid."""
    row = claim_row(injector, request, organisation)
    if row is None:
        return None
    values: dict[str, Scalar] = {"settled_cents": int(str(row[3])) + injector.cents()}
    undo = injector.update("claim", values, {"claim_no": row[1]})
    return _one("PAXXB", {"PAH": row[1]}, "YJPK", "E07", organisation, undo)


def lose_claim(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E06: the claim of a payment is gone."""
    row = claim_row(injector, request, organisation)
    if row is None:
        return None
    undo = injector.delete("claim", {"claim_no": row[1]})
    key: dict[str, Scalar] = {"PAH": row[1], "JSSH": row[5], "ZFXH": str(row[6])}
    return _one("PKZFB", key, "PAH", "E06", organisation, undo)


def customer_kinds() -> dict[str, Callable[[Injector, DefectRequest, str], Answer]]:
    return {
        "A05": customer_kind("个人", "DZ", lambda _, row: {"address": f"{row[4]}{_LONG}"}),
        "A06": customer_kind(
            "个人", "DZ", lambda i, row: {"address": f"{row[4]}{chr(10) if i.days(0, 2) else chr(1)}2单元"}
        ),
        "A07": customer_kind(
            "个人", "ZJYXQ", lambda i, _: {"id_valid_to": ("2999-12-31", "1819-05-20")[i.days(0, 2)]}
        ),
        "B01": customer_kind("个人", "ZJHM", lambda _, row: {"id_no": broken_check(str(row[1]))}),
        "B02": customer_kind("个人", "CSRQ", lambda i, row: {"born_on": _shifted(row[3], i.days(1, 28))}),
        "B03": customer_kind("个人", "XB", lambda _, row: {"sex": "女" if row[2] == "男" else "男"}),
        "B04": customer_kind("单位", "ZJHM", lambda _, row: {"id_no": broken_check(str(row[1]))}),
        "B07": customer_kind("个人", "SJHM", lambda i, _: {"mobile": f"12{i.days(10**8, 10**9)}"}),
    }


def policy_kinds() -> dict[str, Callable[[Injector, DefectRequest, str], Answer]]:
    return {
        "A01": policy_kind("BBXRMC", lambda _, __: {"insured_name": None}),
        "C01": policy_kind("XSQD", lambda _, __: {"channel": "微信"}),
        "D01": policy_kind("ZBRQ", lambda i, row: {"ends_on": _shifted(row[2], -i.days(1, 30))}),
        "D02": policy_kind("QDRQ", lambda i, row: {"starts_on": _shifted(row[1], -i.days(1, 30))}),
        "D05": policy_kind("ZZS", lambda i, row: {"vat_cents": int(str(row[3])) + i.cents()}),
        "E01": policy_kind("TBRKHBH", lambda i, _: {"applicant_id": f"K99999{i.days(10**8, 10**9)}"}),
    }


def event_kinds() -> dict[str, Callable[[Injector, DefectRequest, str], Answer]]:
    return {
        "A02": duplicate_row,
        "D03": report_before_accident,
        "D06": break_chain,
        "E02": orphan_endorsement,
        "E03": shift_endorsement,
        "E04": change_coverage,
        "E06": lose_claim,
        "E07": change_settled,
    }
