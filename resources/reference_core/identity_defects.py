"""Defects in who people and organisations are: customers' documents, texts and codes, accounts, postcodes; vehicles' numbers."""

from __future__ import annotations

from collections.abc import Callable

from resources.reference_core.check_digits import broken_check, with_wrong_organisation_code
from resources.reference_core.defect_plan import DefectRequest
from resources.reference_core.defect_shapes import Answer, Values, answer, number, row_kind, shifted, window
from resources.reference_core.injection import Injector, Kind, Row

_CUSTOMER = """
    SELECT c.customer_id, c.id_no, c.sex, c.born_on, c.address FROM customer c
    WHERE c.customer_id IN (SELECT applicant_id FROM policy WHERE org_code = ? AND signed_on BETWEEN ? AND ?)
      AND c.customer_type = ?
    ORDER BY c.customer_id
"""
_VEHICLE = """
    SELECT v.policy_no, v.seq, v.vin, v.plate_no FROM vehicle v JOIN policy p ON p.policy_no = v.policy_no
    WHERE p.org_code = ? AND p.signed_on BETWEEN ? AND ? AND p.status = '有效' AND v.plate_no IS NOT NULL
      AND v.related_policy_no IS NULL AND v.vehicle_class = '客车'
      AND p.policy_no NOT IN (SELECT policy_no FROM claim)
    ORDER BY v.policy_no
"""
_UNIT = "SELECT org_code FROM organisation WHERE ? IN (org_code, parent_code) AND level > 0 ORDER BY org_code"
_SELLER = "SELECT seller_code FROM seller WHERE org_code = ? AND status = '在职' ORDER BY seller_code"
_LONG = "（地址过长的示例）" * 80


def customer_kind(kind: str, field: str, change: Callable[[Injector, Row], Values]) -> Kind:
    """A defect in one customer row (`kind` 个人 or 单位) who took out a policy in the window; blamed on KHXXB."""

    def inject_one(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
        row = injector.draw(_CUSTOMER, (organisation, *window(request), kind))
        if row is None:
            return None
        undo = injector.update("customer", change(injector, row), {"customer_id": row[0]})
        return answer("KHXXB", {"KHBH": row[0]}, field, request.kind, organisation, undo)

    return inject_one


def vehicle_kind(field: str, change: Callable[[Injector, Row], Values]) -> Kind:
    """A defect in one vehicle that no other policy of the company insures."""
    return row_kind(
        _VEHICLE,
        1,
        "vehicle",
        lambda row: {"policy_no": row[0]},
        change,
        ("CXBDB", lambda row: {"BDH": row[0], "BDXH": row[1]}, field),
    )


def enter_twice(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """A02: a customer entered a second time with another address."""
    row = injector.draw(_CUSTOMER, (organisation, *window(request), "个人"))
    if row is None:
        return None
    undo = injector.duplicate("customer", {"customer_id": row[0]}, {"address": f"{row[4]}（重复录入）"})
    return answer("KHXXB", {"KHBH": row[0]}, "KHBH", "A02", organisation, undo)


def insure_vehicle_twice(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
    """E13: two commercial policies of the same months say the same VIN; the later one is blamed."""
    parameters = (organisation, *window(request))
    rows = [injector.draw(_VEHICLE.replace("ORDER", "AND p.line = 'SY' ORDER"), parameters) for _ in range(2)]
    first, second = rows
    if first is None or second is None:
        return None
    by_start = sorted(
        (
            injector.read("policy", ["starts_on", "policy_no"], {"policy_no": row[0]})
            for row in (first, second)
        ),
        key=lambda row: (str(row[0]), str(row[1])),
    )
    earlier, later = by_start[0][1], by_start[1][1]
    (vin,) = injector.read("vehicle", ["vin"], {"policy_no": earlier})
    undo = injector.update("vehicle", {"vin": vin}, {"policy_no": later})
    return answer("CXBDB", {"BDH": later, "BDXH": 1}, "CJH", "E13", organisation, undo)


def _wrong_vin(vin: str) -> str:
    return vin[:8] + ("1" if vin[8] != "1" else "2") + vin[9:]


def kinds() -> dict[str, Kind]:
    return {
        "A02": enter_twice,
        "A05": customer_kind("个人", "DZ", lambda _, row: {"address": f"{row[4]}{_LONG}"}),
        "A06": customer_kind(
            "个人", "DZ", lambda i, row: {"address": f"{row[4]}{chr(10) if i.days(0, 2) else chr(1)}2单元"}
        ),
        "A07": customer_kind(
            "个人", "ZJYXQ", lambda i, _: {"id_valid_to": ("2999-12-31", "1819-05-20")[i.days(0, 2)]}
        ),
        "B01": customer_kind("个人", "ZJHM", lambda _, row: {"id_no": broken_check(str(row[1]))}),
        "B02": customer_kind("个人", "CSRQ", lambda i, row: {"born_on": shifted(row[3], i.days(1, 28))}),
        "B03": customer_kind("个人", "XB", lambda _, row: {"sex": "女" if row[2] == "男" else "男"}),
        "B04": customer_kind("单位", "ZJHM", lambda _, row: {"id_no": broken_check(str(row[1]))}),
        "B04-GB11714": customer_kind(
            "单位", "ZJHM", lambda _, row: {"id_no": with_wrong_organisation_code(str(row[1]))}
        ),
        "B05": vehicle_kind("CJH", lambda _, row: {"vin": _wrong_vin(str(row[2]))}),
        "B05-FORM": vehicle_kind("CJH", lambda _, row: {"vin": str(row[2])[:-1]}),
        "B06": vehicle_kind("CPH", lambda _, row: {"plate_no": str(row[3])[:4]}),
        "B07": customer_kind("个人", "SJHM", lambda i, _: {"mobile": f"12{i.days(10**8, 10**9)}"}),
        # A county that was merged into another in 2010.
        "B08": customer_kind("个人", "XZQHDM", lambda _, __: {"region_code": "110103"}),
        "B09": customer_kind("单位", "HYDM", lambda _, __: {"industry": "99"}),
        "B10": row_kind(
            _UNIT,
            0,
            "organisation",
            lambda row: {"org_code": row[0]},
            lambda i, _: {"postcode": str(i.days(10_000, 99_999))},
            ("JGXXB", lambda row: {"FZJGDM": row[0]}, "YB"),
        ),
        "B12": row_kind(
            _SELLER,
            0,
            "seller",
            lambda row: {"seller_code": row[0]},
            lambda i, _: {"bank_account": f"尾号{number(i.days(1_000, 10_000))}"},
            ("XSRYXXB", lambda row: {"XSRYBH": row[0]}, "YHZH"),
        ),
        "D15": vehicle_kind("HDZKS", lambda _, __: {"seats": 0}),
        "E13": insure_vehicle_twice,
    }
