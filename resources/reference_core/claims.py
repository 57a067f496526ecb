"""Claims and what was paid on them.

Occurred ≤ reported ≤ registered ≤ closed ≤ the book's last day, within the policy's period; settled is the sum of the
payments; a closed claim has no reserve. A claim whose next date would fall after the last day has not come so far yet.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.reference_core import names
from resources.reference_core.catalogue import CURRENCY, LAST_DAY, LINES
from resources.reference_core.check_digits import Ints, Texts

_CAUSES = {
    "JQ": "碰撞",
    "SY": "碰撞",
    "QC": "火灾",
    "JC": "水管爆裂",
    "HY": "运输途中碰撞",
    "ZR": "第三者人身伤害",
    "YW": "意外跌倒",
}
_TEXT_COLUMNS = (
    *("claim_no", "report_no", "register_no", "line", "org_code"),
    *("cause", "place", "status", "close_type", "plate_no"),
)
_NEVER = np.datetime64("NaT", "D")


def make_claims(rng: np.random.Generator, policies: pl.DataFrame, plates: dict[str, str]) -> pl.DataFrame:
    """Columns of `claim`; and `estimate_cents`, the reserve set at registration, which only the books need.

    `plates` gives the first characters of a branch's number plates. Surrendered policies have no claims.
    """
    last = np.datetime64(LAST_DAY)
    starts = policies["starts_on"].to_numpy().astype("datetime64[D]")
    ends = policies["ends_on"].to_numpy().astype("datetime64[D]")
    codes = np.array(policies["line"].to_list(), dtype=object)
    rates = {line.code: line.claim_rate for line in LINES}
    chance = np.array([rates[code] for code in codes])
    status = np.array(policies["status"].to_list(), dtype=object)
    drawn = rng.random(policies.height)
    rows = np.flatnonzero((drawn < chance) & (starts < last) & (status != "退保"))

    def days(low: int, high: int) -> np.ndarray:
        return rng.integers(low, high, len(rows)).astype("timedelta64[D]")

    window = (np.minimum(ends, last)[rows] - starts[rows]).astype(np.int64)
    occurred = starts[rows] + (rng.random(len(rows)) * (window + 1)).astype(np.int64).astype("timedelta64[D]")
    reported = np.minimum(occurred + days(0, 4), last)
    registered = reported + days(0, 5)
    closed = registered + days(3, 60)
    registered[registered > last] = _NEVER
    closed[np.isnat(registered) | (closed > last)] = _NEVER
    is_registered, is_closed = ~np.isnat(registered), ~np.isnat(closed)

    premium = policies["premium_cents"].to_numpy()[rows]
    insured = policies["sum_insured_cents"].to_numpy()[rows]
    loss = np.minimum((premium * np.exp(rng.normal(0.6, 0.9, len(rows)))).astype(np.int64) + 10_000, insured)
    estimate = np.minimum(loss * rng.integers(80, 131, len(rows)) // 100, insured)
    is_zero = is_closed & (rng.random(len(rows)) < 0.08)
    advance = np.where(is_registered & ~is_closed & (rng.random(len(rows)) < 0.15), loss * 30 // 100, 0)
    settled = np.where(is_closed & ~is_zero, loss, advance)
    expense = np.where(is_closed, rng.integers(50, 400, len(rows)) * 100, 0)
    plate = rng.integers(0, 36**2, len(rows))
    tail = rng.integers(100, 1000, len(rows))

    org = policies["org_code"].gather(rows).to_list()
    line = codes[rows].tolist()
    years = (reported.astype("datetime64[Y]").astype(np.int64) + 1970).tolist()
    serials = [f"{o}{c}{y}{n:07d}" for n, (o, c, y) in enumerate(zip(org, line, years, strict=True), start=1)]
    return pl.DataFrame(
        {
            "claim_no": ["PA" + serial for serial in serials],
            "report_no": ["BA" + serial for serial in serials],
            "register_no": [
                "LA" + serial if has else None for serial, has in zip(serials, is_registered, strict=True)
            ],
            "policy_no": policies["policy_no"].gather(rows),
            "product_code": policies["product_code"].gather(rows),
            "line": line,
            "org_code": org,
            "occurred_on": occurred,
            "reported_on": reported,
            "registered_on": registered,
            "closed_on": closed,
            "cause": [_CAUSES[code] for code in line],
            "place": [f"示范路{n}号附近" for n in tail],
            "loss_cents": np.where(is_zero, 0, loss),
            "reserve_cents": np.where(is_registered & ~is_closed, np.maximum(estimate - advance, 0), 0),
            "settled_cents": settled,
            "expense_cents": expense,
            "status": np.select([is_closed, is_registered], ["已结案", "已立案"], "已报案").tolist(),
            "close_type": np.where(is_closed, np.where(is_zero, "零结案", "赔付结案"), None).tolist(),  # type: ignore[arg-type]
            "plate_no": [
                f"{plates[o]}{_letters(int(p))}{t}" if c in ("JQ", "SY") else None
                for o, c, p, t in zip(org, line, plate, tail, strict=True)
            ],
            "estimate_cents": np.where(is_registered, np.maximum(estimate, advance), 0),
        },
        schema_overrides=dict.fromkeys(_TEXT_COLUMNS, pl.String),
    )


def make_claim_payments(
    rng: np.random.Generator, claims: pl.DataFrame, policies: pl.DataFrame, identities: pl.DataFrame
) -> pl.DataFrame:
    """One or two payments per settled claim, between registration and closing; advances on open claims."""
    coverage = {line.code: line.coverages[0].code for line in LINES}
    paid = claims.filter(pl.col("settled_cents") > 0)
    registered = paid["registered_on"].to_numpy().astype("datetime64[D]")
    closed = paid["closed_on"].to_numpy().astype("datetime64[D]")
    until = np.where(np.isnat(closed), np.datetime64(LAST_DAY), closed)
    window = (until - registered).astype(np.int64)
    total = paid["settled_cents"].to_numpy()
    is_split = (rng.random(paid.height) < 0.3) & ~np.isnat(closed) & (total > 100)
    first_part = np.where(is_split, total * 60 // 100, total)
    first_on = np.where(
        np.isnat(closed), (rng.random(paid.height) * (window + 1)).astype(np.int64), window * 2 // 3
    )
    second_on = window
    relation = rng.choice(
        np.array(["本人", "维修厂", "第三者"], dtype=object), paid.height, p=(0.6, 0.3, 0.1)
    )
    is_vehicle = np.isin(np.array(paid["line"].to_list(), dtype=object), ("JQ", "SY"))
    relation[~is_vehicle & (relation == "维修厂")] = "本人"
    others: Texts = names.person_names(rng, paid.height)

    def part(rows: Ints, seq: int, amount: Ints, offset: Ints) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "claim_no": paid["claim_no"].gather(rows),
                "seq": np.full(len(rows), seq),
                "amount_cents": amount[rows],
                "paid_on": (registered + offset.astype("timedelta64[D]"))[rows],
                "is_advance": np.isnat(closed[rows]).astype(np.int64),
                "relation": relation[rows].tolist(),
                "other": others[rows].tolist(),
            },
            schema_overrides={"relation": pl.String, "other": pl.String},
        )

    everything = np.arange(paid.height)
    parts = pl.concat(
        [
            part(everything, 1, first_part, first_on),
            part(np.flatnonzero(is_split), 2, total - first_part, second_on),
        ]
    ).sort("claim_no", "seq")
    joined = (
        parts.join(
            claims.select("claim_no", "org_code", "line", "policy_no"),
            on="claim_no",
            how="left",
            maintain_order="left",
        )
        .join(
            policies.select("policy_no", "insured_name", "insured_id"),
            on="policy_no",
            how="left",
            maintain_order="left",
        )
        .join(identities, left_on="insured_id", right_on="customer_id", how="left", maintain_order="left")
    )
    is_self = pl.col("relation") == "本人"
    name = (
        pl.when(is_self)
        .then("insured_name")
        .when(pl.col("relation") == "维修厂")
        .then(pl.lit("示范汽车维修厂"))
        .otherwise("other")
    )
    return joined.select(
        pl.concat_str(
            pl.lit("PK"), pl.col("claim_no").str.slice(2), pl.col("seq").cast(pl.String).str.zfill(2)
        ).alias("payment_no"),
        pl.lit("claim").alias("kind"),
        "org_code",
        "line",
        "policy_no",
        "claim_no",
        pl.concat_str(pl.lit("JS"), pl.col("claim_no").str.slice(2)).alias("calculation_no"),
        "seq",
        pl.col("line").replace_strict(coverage, return_dtype=pl.String).alias("coverage_code"),
        "amount_cents",
        pl.lit(CURRENCY).alias("currency"),
        name.alias("counterparty_name"),
        pl.when(is_self).then("id_no").alias("counterparty_id_no"),
        pl.Series(
            "counterparty_account", names.account_numbers(rng, joined.height).tolist(), dtype=pl.String
        ),
        pl.lit("示范银行").alias("bank"),
        "paid_on",
        pl.lit("转账").alias("method"),
        "relation",
        "is_advance",
    )


def _letters(number: int) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ12"
    return alphabet[number // 36] + alphabet[number % 36]
