"""Defects of policies and of what hangs on them: dates and codes, sellers and intermediaries, coverages, items, shares."""

from __future__ import annotations

from collections.abc import Callable

from resources.reference_core.defect_plan import DefectRequest
from resources.reference_core.defect_shapes import Answer, Values, answer, number, row_kind, shifted, window
from resources.reference_core.injection import Injector, Kind, Row
from resources.reference_core.sales_force import ACTIVE_OF_KIND, AGENTS, EMPLOYEES

_PLAIN = """
    SELECT p.policy_no, p.signed_on, p.starts_on, p.vat_cents, p.line, p.org_code, p.seller_code FROM policy p
    WHERE p.org_code = ? AND p.signed_on BETWEEN ? AND ? AND p.intermediary_code IS NULL
      AND p.policy_no NOT IN (SELECT policy_no FROM endorsement)
      AND p.policy_no NOT IN (SELECT policy_no FROM claim)
      AND p.policy_no NOT IN (SELECT related_policy_no FROM vehicle WHERE related_policy_no IS NOT NULL)
      AND p.instalments = 1 AND p.coinsurance = '否' AND p.line <> 'HY'
    ORDER BY p.policy_no
"""
_PLAIN_ITEM = _PLAIN.replace("p.line <> 'HY'", "p.line NOT IN ('HY', 'JQ', 'SY')")
_BROKERED = """
    SELECT policy_no, intermediary_code FROM policy
    WHERE org_code = ? AND signed_on BETWEEN ? AND ? AND intermediary_code IS NOT NULL
    ORDER BY policy_no
"""
_COINSURED = """
    SELECT s.policy_no, s.participant_code, s.share_bp, s.premium_cents
    FROM coinsurance s JOIN policy p ON p.policy_no = s.policy_no
    WHERE p.org_code = ? AND p.signed_on BETWEEN ? AND ? AND s.is_own = 1
    ORDER BY s.policy_no
"""


def policy_kind(field: str, change: Callable[[Injector, Row], Values], candidates: str = _PLAIN) -> Kind:
    """A defect in one policy row that has no endorsement, claim or intermediary; blamed on `field` of BDXXB."""
    return row_kind(
        candidates,
        1,
        "policy",
        lambda row: {"policy_no": row[0]},
        change,
        ("BDXXB", lambda row: {"BDH": row[0]}, field),
    )


def coverage_kind(field: str, change: Callable[[Injector, Row], Values]) -> Kind:
    """A defect in the first coverage of a policy, blamed on the policy."""

    def inject_one(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
        row = injector.draw(_PLAIN, (organisation, *window(request)))
        if row is None:
            return None
        where: Values = {"policy_no": row[0], "seq": 1}
        before = injector.read("coverage", ["premium_cents"], where)
        undo = injector.update("coverage", change(injector, before), where)
        return answer("BDXXB", {"BDH": row[0]}, field, request.kind, organisation, undo)

    return inject_one


def misplace_coverage(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E22: a coverage is for an item that the policy does not have."""
    row = injector.draw(_PLAIN, (organisation, *window(request)))
    if row is None:
        return None
    where: Values = {"policy_no": row[0], "seq": 1}
    (code,) = injector.read("coverage", ["coverage_code"], where)
    undo = injector.update("coverage", {"item_seq": 9}, where)
    key: Values = {"BDH": row[0], "BDXH": 9, "XBDM": code}
    return answer("BDXBB", key, "BDXH", "E22", organisation, undo)


def lose_item(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E18: the insured item is missing."""
    row = injector.draw(_PLAIN_ITEM, (organisation, *window(request)))
    if row is None:
        return None
    undo = injector.delete("insured_item", {"policy_no": row[0]})
    return answer("BDXXB", {"BDH": row[0]}, "XL", "E18", organisation, undo)


def share_kind(field: str, change: Callable[[Injector, Row], Values]) -> Kind:
    """A defect in this company's own share of a coinsured policy."""
    return row_kind(
        _COINSURED,
        1,
        "coinsurance",
        lambda row: {"policy_no": row[0], "participant_code": row[1]},
        change,
        ("BDXXB", lambda row: {"BDH": row[0]}, field),
    )


def _other_kind(code: str) -> str:
    """The intermediary in the same place of the next kind."""
    size = ACTIVE_OF_KIND + 1
    return f"{code[:-3]}{(int(code[-3:]) - 1 + size) % (3 * size) + 1:03d}"


def _expired(code: str) -> str:
    """The intermediary of the same kind whose licence ran out."""
    size = ACTIVE_OF_KIND + 1
    return f"{code[:-3]}{(int(code[-3:]) - 1) // size * size + size:03d}"


def _left(code: str) -> str:
    """The seller of the same kind who has left."""
    return f"{code[:-4]}{EMPLOYEES if int(code[-4:]) <= EMPLOYEES else EMPLOYEES + AGENTS:04d}"


def kinds() -> dict[str, Kind]:
    return {
        "A01": policy_kind("BBXRMC", lambda _, __: {"insured_name": None}),
        "B11": policy_kind("HBDM", lambda _, __: {"currency": "RMB"}),
        "C01": policy_kind("XSQD", lambda _, __: {"channel": "微信"}),
        "D01": policy_kind("ZBRQ", lambda i, row: {"ends_on": shifted(row[2], -i.days(1, 30))}),
        "D02": policy_kind("QDRQ", lambda i, row: {"starts_on": shifted(row[1], -i.days(1, 30))}),
        "D05": policy_kind("ZZS", lambda i, row: {"vat_cents": number(row[3]) + i.cents()}),
        "D10": policy_kind(
            "ZJJGBM", lambda _, row: {"intermediary_code": _other_kind(str(row[1]))}, _BROKERED
        ),
        "E01": policy_kind("TBRKHBH", lambda i, _: {"applicant_id": f"K99999{i.days(10**8, 10**9)}"}),
        "E04": coverage_kind("BF", lambda i, row: {"premium_cents": number(row[0]) + i.cents()}),
        "E10": policy_kind("ZJJGBM", lambda _, row: {"intermediary_code": _expired(str(row[1]))}, _BROKERED),
        "E11": policy_kind("XSRYBH", lambda _, row: {"seller_code": _left(str(row[6]))}),
        "E12": policy_kind("XZDM", lambda _, row: {"product_code": f"{row[4]}03"}),
        "E17": share_kind("GBBZ", lambda i, row: {"share_bp": number(row[2]) - i.days(10, 500)}),
        "E18": lose_item,
        "E19": policy_kind(
            "XL",
            lambda _, __: {"product_code": "QT01"},
            _PLAIN.replace("p.line <> 'HY'", "p.line NOT IN ('HY', 'QT')"),
        ),
        "E21": share_kind("BF", lambda i, row: {"premium_cents": number(row[3]) + i.cents()}),
        "E22": misplace_coverage,
    }
