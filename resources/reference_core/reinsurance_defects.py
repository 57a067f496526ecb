"""Defects of reinsurance: shares of a treaty, balances and recoveries of bills, their months."""

from __future__ import annotations

from resources.reference_core.defect_plan import DefectRequest
from resources.reference_core.defect_shapes import Answer, Values, answer, number, row_kind, window
from resources.reference_core.injection import Injector, Kind

_BILL = """
    SELECT bill_no, period, balance_cents, recovered_cents FROM ceded_bill
    WHERE org_code = ? AND billed_on BETWEEN ? AND ?
    ORDER BY bill_no
"""
_RECOVERY = """
    SELECT r.recovery_no, r.claim_no FROM recovery r JOIN ceded_bill b ON b.bill_no = r.bill_no
    WHERE r.org_code = ? AND b.billed_on BETWEEN ? AND ? AND r.recovered_on >= ?
    ORDER BY r.recovery_no
"""
# Treaties are the company's; the branch only asks.
_TREATY = """
    SELECT s.treaty_no, s.reinsurer_code FROM treaty_share s JOIN organisation o ON o.org_code = ?
    WHERE s.is_lead = 1 ORDER BY s.treaty_no
"""


def recover_more(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E20: the bill recovers more than its claims; its balance agrees with itself."""
    row = injector.draw(_BILL, (organisation, *window(request)))
    if row is None:
        return None
    off = injector.cents()
    values: Values = {"recovered_cents": number(row[3]) + off, "balance_cents": number(row[2]) - off}
    undo = injector.update("ceded_bill", values, {"bill_no": row[0]})
    return answer("ZBZDXXB", {"ZDH": row[0]}, "THPK", "E20", organisation, undo)


def lose_recovered_claim(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E06-ZBTHXXB: a recovery names a claim that does not exist."""
    start, end = window(request)
    row = injector.draw(_RECOVERY, (organisation, start, end, start))
    if row is None:
        return None
    wrong = f"{str(row[1])[:-7]}9{str(row[1])[-6:]}"
    undo = injector.update("recovery", {"claim_no": wrong}, {"recovery_no": row[0]})
    return answer("ZBTHXXB", {"THH": row[0]}, "PAH", request.kind, organisation, undo)


def kinds() -> dict[str, Kind]:
    bill = ("ceded_bill", lambda row: {"bill_no": row[0]})  # type: ignore[var-annotated]
    return {
        "C02": row_kind(
            _BILL,
            1,
            *bill,
            lambda _, row: {"period": f"{str(row[1])[:4]}13"},
            ("ZBZDXXB", lambda row: {"ZDH": row[0]}, "KJQJ"),
        ),
        "D16": row_kind(
            _BILL,
            1,
            *bill,
            lambda i, row: {"balance_cents": number(row[2]) + i.cents()},
            ("ZBZDXXB", lambda row: {"ZDH": row[0]}, "ZDYE"),
        ),
        "E06-ZBTHXXB": lose_recovered_claim,
        "E16": row_kind(
            _TREATY,
            0,
            "treaty_share",
            lambda row: {"treaty_no": row[0], "reinsurer_code": row[1]},
            lambda i, _: {"share_bp": i.days(9_900, 10_000)},
            ("ZBHTXXB", lambda row: {"ZBHTH": row[0], "ZBRDM": row[1]}, "FCBL"),
        ),
        "E20": recover_more,
    }
