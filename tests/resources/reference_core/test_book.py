"""The clean book: every relation that the rules of circ_audit and the accounts rely on, asked of the core itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from stdnum.cn import ric, uscc


@pytest.fixture(scope="module")
def core(clean_core: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(clean_core)
    yield connection
    connection.close()


BROKEN = {
    "premium is net plus VAT": "SELECT * FROM policy WHERE premium_cents <> premium_net_cents + vat_cents",
    "net is the premium without 6 %": "SELECT * FROM policy WHERE ABS(premium_net_cents * 106 - premium_cents * 100) > 53",
    "coverages add up to the policy": """
        SELECT p.policy_no FROM policy p LEFT JOIN coverage c USING (policy_no) GROUP BY p.policy_no
        HAVING COALESCE(SUM(c.premium_cents), 0) <> p.premium_cents OR SUM(c.sum_insured_cents) <> p.sum_insured_cents""",
    "policies lie in the book": "SELECT * FROM policy WHERE signed_on NOT BETWEEN '2025-07-01' AND '2026-04-30'",
    "signed, begun, ended": "SELECT * FROM policy WHERE NOT (signed_on <= starts_on AND starts_on <= ends_on)",
    "customers of the policy's branch": """
        SELECT * FROM policy p WHERE NOT EXISTS (SELECT 1 FROM customer c
            WHERE c.customer_id = p.applicant_id AND c.org_code = p.org_code AND c.name = p.applicant_name)
        OR NOT EXISTS (SELECT 1 FROM customer c
            WHERE c.customer_id = p.insured_id AND c.org_code = p.org_code AND c.name = p.insured_name)""",
    "undertaken below the branch": """
        SELECT * FROM policy p JOIN organisation o ON o.org_code = p.undertaking_org
        WHERE NOT (o.parent_code = p.org_code OR (o.org_code = p.org_code
            AND NOT EXISTS (SELECT 1 FROM organisation s WHERE s.parent_code = p.org_code)))""",
    "intermediaries for their channels": """
        SELECT * FROM policy
        WHERE (channel IN ('专代', '兼代', '经纪')) <> (intermediary_code IS NOT NULL)""",
    "an endorsement adds up": """
        SELECT * FROM endorsement
        WHERE premium_after_cents - premium_before_cents <> premium_change_cents
        OR premium_after_cents < 0""",
    "endorsements chain from the premium": """
        SELECT * FROM endorsement e JOIN policy p USING (policy_no) WHERE e.premium_before_cents <> p.premium_cents
        + (SELECT COALESCE(SUM(b.premium_change_cents), 0) FROM endorsement b WHERE b.policy_no = e.policy_no AND b.seq < e.seq)""",
    "endorsements after signing": """
        SELECT * FROM endorsement e LEFT JOIN policy p USING (policy_no) WHERE p.policy_no IS NULL
        OR NOT (p.signed_on <= e.applied_on AND e.applied_on <= e.effective_on AND e.effective_on <= '2026-04-30')""",
    "the policy counts its endorsements": """
        SELECT * FROM policy p WHERE endorsement_count <> (SELECT COUNT(*) FROM endorsement e WHERE e.policy_no = p.policy_no)""",
    "a claim's dates in order": """
        SELECT * FROM claim JOIN policy USING (policy_no) WHERE NOT (starts_on <= occurred_on AND occurred_on <= ends_on
        AND occurred_on <= reported_on AND reported_on <= COALESCE(registered_on, reported_on)
        AND COALESCE(registered_on, reported_on) <= COALESCE(closed_on, '2026-04-30')
        AND COALESCE(closed_on, registered_on, reported_on) <= '2026-04-30')""",
    "a claim's settled is what was paid": """
        SELECT * FROM claim c WHERE settled_cents <>
        (SELECT COALESCE(SUM(amount_cents), 0) FROM payment y WHERE y.claim_no = c.claim_no)""",
    "closed means no reserve": "SELECT * FROM claim WHERE closed_on IS NOT NULL AND (reserve_cents <> 0 OR status <> '已结案')",
    "payments between registration and closing": """
        SELECT * FROM payment y LEFT JOIN claim c USING (claim_no) WHERE y.kind = 'claim'
        AND (c.claim_no IS NULL OR NOT (c.registered_on <= y.paid_on AND y.paid_on <= COALESCE(c.closed_on, '2026-04-30')))""",
    "every payment has its voucher": """
        SELECT * FROM payment y WHERE NOT EXISTS (SELECT 1 FROM voucher v WHERE v.org_code = y.org_code
        AND v.voucher_no = y.voucher_no AND v.booked_on = y.paid_on AND ABS(v.debit_cents) = ABS(y.amount_cents))""",
    "vouchers balance": "SELECT 1 FROM voucher GROUP BY org_code, voucher_no HAVING SUM(debit_cents) <> SUM(credit_cents)",
    "maker is not checker": "SELECT 1 FROM voucher WHERE prepared_by = reviewed_by",
    "vouchers are the ledger": """
        SELECT b.* FROM gl_balance b LEFT JOIN (SELECT org_code, account_no, period, SUM(debit_cents) d, SUM(credit_cents) c
        FROM voucher GROUP BY 1, 2, 3) v USING (org_code, account_no, period)
        WHERE b.debit_cents <> COALESCE(v.d, 0) OR b.credit_cents <> COALESCE(v.c, 0)""",
    "balances carry on": """
        SELECT * FROM gl_balance WHERE opening_debit_cents - opening_credit_cents + debit_cents - credit_cents
        <> closing_debit_cents - closing_credit_cents""",
    "opening is last closing": """
        SELECT * FROM (SELECT *, LAG(closing_debit_cents) OVER w pd, LAG(closing_credit_cents) OVER w pc FROM gl_balance
        WINDOW w AS (PARTITION BY org_code, account_no ORDER BY period)) WHERE pd <> opening_debit_cents OR pc <> opening_credit_cents""",
    "balances stay on their side": """
        SELECT * FROM gl_balance JOIN gl_account USING (account_no)
        WHERE (direction = '借' AND closing_credit_cents <> 0) OR (direction = '贷' AND closing_debit_cents <> 0)""",
    "the trial balance": """
        SELECT 1 FROM gl_balance GROUP BY org_code, period HAVING SUM(debit_cents) <> SUM(credit_cents)
        OR SUM(closing_debit_cents) <> SUM(closing_credit_cents)""",
    "premium income is the business's": """
        SELECT * FROM gl_balance b LEFT JOIN (SELECT org_code, '6031' || line a, period, SUM(net) net FROM (
            SELECT org_code, line, substr(signed_on, 1, 4) || substr(signed_on, 6, 2) period, premium_net_cents net FROM policy
            UNION ALL SELECT org_code, line, substr(effective_on, 1, 4) || substr(effective_on, 6, 2), premium_net_change_cents
            FROM endorsement JOIN policy USING (policy_no)) GROUP BY 1, 2, 3) v
        ON v.org_code = b.org_code AND v.a = b.account_no AND v.period = b.period
        WHERE b.account_no LIKE '6031%' AND (b.debit_cents <> 0 OR b.credit_cents <> COALESCE(v.net, 0))""",
    "claims paid are the business's": """
        SELECT * FROM gl_balance b LEFT JOIN (SELECT y.org_code, '6511' || line a,
            substr(paid_on, 1, 4) || substr(paid_on, 6, 2) period, SUM(amount_cents) paid
            FROM payment y JOIN claim USING (claim_no) GROUP BY 1, 2, 3) v
        ON v.org_code = b.org_code AND v.a = b.account_no AND v.period = b.period
        WHERE b.account_no LIKE '6511%' AND (b.credit_cents <> 0 OR b.debit_cents <> COALESCE(v.paid, 0))""",
    "outstanding claims are the reserve": """
        SELECT * FROM gl_balance b WHERE account_no = '2602' AND period = '202604' AND closing_credit_cents <>
        (SELECT COALESCE(SUM(reserve_cents), 0) FROM claim c WHERE c.org_code = b.org_code)""",
    "premium receivable": """
        SELECT * FROM gl_balance b WHERE account_no = '1122' AND period = '202604' AND closing_debit_cents <>
        (SELECT SUM(premium_cents + vehicle_tax_cents) FROM policy p WHERE p.org_code = b.org_code)
        + (SELECT COALESCE(SUM(premium_change_cents), 0) FROM endorsement JOIN policy p USING (policy_no) WHERE p.org_code = b.org_code)
        - (SELECT SUM(amount_cents) FROM payment y WHERE y.kind = 'premium' AND y.org_code = b.org_code)""",
    "a person's ID says birth and sex": """
        SELECT * FROM customer WHERE customer_type = '个人' AND (substr(id_no, 7, 8) <> replace(born_on, '-', '')
        OR (substr(id_no, 17, 1) % 2 = 1) <> (sex = '男'))""",
}


@pytest.mark.parametrize("relation", BROKEN)
def test_the_book_keeps(core: sqlite3.Connection, relation: str) -> None:
    assert core.execute(BROKEN[relation]).fetchmany(3) == []


def test_every_branch_account_and_month_has_a_balance(core: sqlite3.Connection) -> None:
    ((count, first, last),) = core.execute("SELECT COUNT(*), MIN(period), MAX(period) FROM gl_balance")
    assert (count, first, last) == (3 * 26 * 10, "202507", "202604")


@pytest.mark.parametrize(
    "key",
    [
        "policy.policy_no",
        "customer.customer_id",
        "endorsement.endorsement_no",
        "claim.claim_no",
        "payment.payment_no",
        "product.product_code",
    ],
)
def test_keys_are_unique(core: sqlite3.Connection, key: str) -> None:
    table, column = key.split(".")
    ((rows, distinct),) = core.execute(f"SELECT COUNT(*), COUNT(DISTINCT {column}) FROM {table}")
    assert rows == distinct > 0


def test_numbers_of_people_and_companies_are_valid(core: sqlite3.Connection) -> None:
    for kind, number in core.execute("SELECT customer_type, id_no FROM customer"):
        is_person = kind == "个人"
        assert ric.calc_check_digit(number) == number[-1] if is_person else uscc.is_valid(number), number
    codes = [code for (code,) in core.execute("SELECT uscc FROM organisation")]
    assert len(set(codes)) == 6
    assert all(uscc.is_valid(code) for code in codes)


@pytest.mark.parametrize(("encoding", "characters"), [("gb2312", "镕堃"), ("gbk", "㛃䶮𠅤")])
def test_names_reach_beyond_the_old_encodings(
    core: sqlite3.Connection, encoding: str, characters: str
) -> None:
    names = "".join(name for (name,) in core.execute("SELECT name FROM customer"))
    for character in characters:
        assert character in names
        with pytest.raises(UnicodeEncodeError):
            character.encode(encoding)
    assert names.encode("gb18030").decode("gb18030") == names
    assert "·" in names


def test_all_lines_are_sold_and_the_own_account_writes_corporate_risks_only(core: sqlite3.Connection) -> None:
    lines = {line for (line,) in core.execute("SELECT DISTINCT line FROM policy")}
    own = {line for (line,) in core.execute("SELECT DISTINCT line FROM policy WHERE org_code = '000001'")}
    assert lines == {"JQ", "SY", "QC", "JC", "HY", "ZR", "YW"}
    assert own == {"QC", "HY", "ZR"}
