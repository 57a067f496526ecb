"""Where the simulated insurer works: provinces, number plates, the weight of a branch in the book.

GB/T 2260 codes begin with the province (two digits); five cities planned separately have a bureau of their own and are
told from their province by four digits.
"""

from __future__ import annotations

_PLACES = {
    "11": ("北京市", "京"),
    "12": ("天津市", "津"),
    "13": ("河北省", "冀"),
    "14": ("山西省", "晋"),
    "15": ("内蒙古自治区", "蒙"),
    "21": ("辽宁省", "辽"),
    "22": ("吉林省", "吉"),
    "23": ("黑龙江省", "黑"),
    "31": ("上海市", "沪"),
    "32": ("江苏省", "苏"),
    "33": ("浙江省", "浙"),
    "34": ("安徽省", "皖"),
    "35": ("福建省", "闽"),
    "36": ("江西省", "赣"),
    "37": ("山东省", "鲁"),
    "41": ("河南省", "豫"),
    "42": ("湖北省", "鄂"),
    "43": ("湖南省", "湘"),
    "44": ("广东省", "粤"),
    "45": ("广西壮族自治区", "桂"),
    "46": ("海南省", "琼"),
    "50": ("重庆市", "渝"),
    "51": ("四川省", "川"),
    "52": ("贵州省", "贵"),
    "53": ("云南省", "云"),
    "54": ("西藏自治区", "藏"),
    "61": ("陕西省", "陕"),
    "62": ("甘肃省", "甘"),
    "63": ("青海省", "青"),
    "64": ("宁夏回族自治区", "宁"),
    "65": ("新疆维吾尔自治区", "新"),
}
_CITIES = {
    "2102": ("大连市", "辽B"),
    "3302": ("宁波市", "浙B"),
    "3502": ("厦门市", "闽D"),
    "3702": ("青岛市", "鲁B"),
    "4403": ("深圳市", "粤B"),
}
# The share of a branch in the book against an ordinary one; the simulated company is at home in three provinces.
_WEIGHTS = {"44": 8.0, "33": 6.0, "51": 5.0, "32": 2.0, "37": 2.0, "54": 0.5, "63": 0.5, "64": 0.5}
_OWN_ACCOUNT_WEIGHT = 0.2


def place_of(region: str) -> str:
    """The province or city that a GB/T 2260 code begins with; the code itself where this book has no name for it."""
    return _CITIES.get(region[:4], _PLACES.get(region[:2], (f"地区{region}", "")))[0]


def plate_of(region: str) -> str:
    """The first two characters of a number plate of that region."""
    if region[:4] in _CITIES:
        return _CITIES[region[:4]][1]
    return _PLACES.get(region[:2], ("", "京"))[1] + "A"


def weight_of(region: str, *, is_own_account: bool) -> float:
    """How much of the book a branch writes; the head office's own account writes few, large risks."""
    if is_own_account:
        return _OWN_ACCOUNT_WEIGHT
    return 1.0 if region[:4] in _CITIES else _WEIGHTS.get(region[:2], 1.0)
