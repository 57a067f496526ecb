"""The clean book: every relation that the rules of circ_audit and the accounts rely on, asked of the core itself."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from stdnum import luhn
from stdnum.cn import ric, uscc

from resources.reference_core.catalogue import LINES


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
    "signed, begun, ended; back-dated only where marked": """
        SELECT * FROM policy WHERE starts_on > ends_on OR (signed_on > starts_on) <> (is_backdated = 1)""",
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
    "one item or vehicle per policy": """
        SELECT * FROM policy p WHERE (SELECT COUNT(*) FROM vehicle v WHERE v.policy_no = p.policy_no) <> (p.line IN ('JQ', 'SY'))
        OR (SELECT COUNT(*) FROM insured_item i WHERE i.policy_no = p.policy_no) <> (p.line NOT IN ('JQ', 'SY'))""",
    "items carry the policy's premium and sum insured": """
        SELECT * FROM insured_item i JOIN policy p USING (policy_no)
        WHERE i.premium_cents <> p.premium_cents OR i.sum_insured_cents <> p.sum_insured_cents""",
    "a vehicle's two policies name each other and say the same": """
        SELECT * FROM vehicle v LEFT JOIN vehicle w ON w.policy_no = v.related_policy_no WHERE v.related_policy_no IS NOT NULL
        AND (w.related_policy_no IS NOT v.policy_no OR w.vin <> v.vin OR w.plate_no IS NOT v.plate_no OR w.seats <> v.seats)""",
    "a vehicle is insured once in a line": """
        SELECT 1 FROM vehicle JOIN policy USING (policy_no) GROUP BY vin, line HAVING COUNT(*) > 1""",
    "coverages cover the item": "SELECT * FROM coverage WHERE item_seq <> 1",
    "instalments are the premium": """
        SELECT p.policy_no FROM policy p LEFT JOIN instalment i USING (policy_no) GROUP BY p.policy_no
        HAVING (p.payment_mode = '分期') <> (COUNT(i.seq) > 0)
        OR (p.payment_mode = '分期' AND (COUNT(i.seq) <> p.instalments OR SUM(i.amount_cents) <> p.premium_cents))""",
    "coinsurers share the whole, and the own share is the policy": """
        SELECT p.policy_no FROM policy p LEFT JOIN coinsurance c USING (policy_no) GROUP BY p.policy_no
        HAVING (p.coinsurance <> '否') <> (COUNT(c.seq) > 0) OR (p.coinsurance <> '否' AND (SUM(c.share_bp) <> 10000
        OR SUM(c.is_lead) <> 1 OR SUM(CASE WHEN c.is_own = 1 THEN c.premium_cents END) <> p.premium_cents))""",
    "premiums due are the policy's": """
        SELECT p.policy_no FROM policy p LEFT JOIN planned_fee f ON f.business_no = p.policy_no AND f.kind = 'P'
        GROUP BY p.policy_no HAVING COALESCE(SUM(f.amount_cents), 0) <> p.premium_cents + p.vehicle_tax_cents""",
    "a payment settles its fee in full": """
        SELECT * FROM payment y LEFT JOIN planned_fee f USING (fee_no) WHERE f.fee_no IS NULL OR f.amount_cents <> y.amount_cents""",
    "no licence, no premium: motor is paid on signing": """
        SELECT * FROM policy p WHERE p.line IN ('JQ', 'SY') AND NOT EXISTS (SELECT 1 FROM payment y
        WHERE y.policy_no = p.policy_no AND y.paid_on = p.signed_on AND y.amount_cents = p.premium_cents + p.vehicle_tax_cents)""",
    "commission is base × rate, half up": """
        SELECT * FROM commission WHERE payable_cents <>
        (CASE WHEN base_cents < 0 THEN -1 ELSE 1 END) * ((ABS(base_cents) * rate_bp * 2 + 10000) / 20000)""",
    "commission below its caps": """
        SELECT * FROM commission c JOIN policy p USING (policy_no) JOIN product d USING (product_code)
        LEFT JOIN intermediary i ON i.intermediary_code = c.intermediary_code
        WHERE c.rate_bp > d.commission_cap_bp OR c.rate_bp > i.commission_cap_bp""",
    "statements are their commission": """
        SELECT f.business_no FROM planned_fee f LEFT JOIN commission c ON c.statement_no = f.business_no WHERE f.kind = 'F'
        GROUP BY f.business_no HAVING f.amount_cents <> SUM(c.payable_cents) OR COUNT(DISTINCT substr(c.accrued_on, 1, 7)) > 1""",
    "sellers and intermediaries are active when policies are signed": """
        SELECT * FROM policy p LEFT JOIN seller s USING (seller_code)
        LEFT JOIN intermediary i ON i.intermediary_code = p.intermediary_code
        WHERE s.seller_code IS NULL OR s.org_code <> p.org_code OR NOT (s.hired_on <= p.signed_on AND s.certificate_to >= p.signed_on)
        OR s.left_on IS NOT NULL OR (p.intermediary_code IS NOT NULL AND (i.org_code <> p.org_code OR i.licence_to < p.signed_on
        OR i.kind <> CASE p.channel WHEN '专代' THEN '专业代理' WHEN '兼代' THEN '兼业代理' ELSE '经纪' END))""",
    "products are on sale when policies are signed": """
        SELECT * FROM policy p LEFT JOIN product d USING (product_code)
        WHERE d.line IS NOT p.line OR p.signed_on < d.effective_on OR p.signed_on > COALESCE(d.ceased_on, '9999-12-31')""",
    "a claim's expenses add up": """
        SELECT * FROM claim c WHERE expense_cents <>
        (SELECT COALESCE(SUM(amount_cents), 0) FROM claim_expense x WHERE x.claim_no = c.claim_no)""",
    "an open claim has its estimate less what was paid": """
        SELECT * FROM claim WHERE status = '已立案' AND (reserve_cents <> estimate_cents - settled_cents OR reserve_cents <= 0)""",
    "treaties cede at most the whole": "SELECT 1 FROM treaty_share GROUP BY treaty_no HAVING SUM(share_bp) > 10000",
    "a bill's balance": "SELECT * FROM ceded_bill WHERE balance_cents <> premium_cents - commission_cents - recovered_cents",
    "bills recover what their claims do": """
        SELECT b.bill_no FROM ceded_bill b LEFT JOIN recovery r USING (bill_no) GROUP BY b.bill_no
        HAVING b.recovered_cents <> COALESCE(SUM(r.amount_cents), 0)""",
    "every recovery has its bill, share and payment": """
        SELECT * FROM recovery r LEFT JOIN ceded_bill b USING (bill_no) LEFT JOIN treaty_share s ON s.treaty_no = r.treaty_no
        AND s.reinsurer_code = r.reinsurer_code LEFT JOIN payment y USING (payment_no)
        WHERE b.bill_no IS NULL OR s.share_bp IS NOT r.share_bp OR y.claim_no IS NOT r.claim_no""",
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
        SELECT * FROM payment y WHERE y.amount_cents <> 0 AND NOT EXISTS (SELECT 1 FROM voucher v WHERE v.org_code = y.org_code
        AND v.voucher_no = y.voucher_no AND v.booked_on = y.paid_on)""",
    "a day's receipts are their voucher": """
        SELECT v.* FROM voucher v LEFT JOIN (SELECT org_code, voucher_no, SUM(amount_cents) paid FROM payment GROUP BY 1, 2) y
        USING (org_code, voucher_no) WHERE v.summary IN ('收到保费', '支付赔款', '支付手续费')
        AND v.debit_cents + v.credit_cents <> COALESCE(y.paid, 0)""",
    "vouchers balance": "SELECT 1 FROM voucher GROUP BY org_code, voucher_no HAVING SUM(debit_cents) <> SUM(credit_cents)",
    "maker is not checker": "SELECT 1 FROM voucher WHERE prepared_by = reviewed_by",
    "vouchers are the ledger": """
        SELECT b.* FROM gl_balance b LEFT JOIN (SELECT org_code, account_no, period, SUM(debit_cents) d, SUM(credit_cents) c
        FROM voucher GROUP BY 1, 2, 3) v USING (org_code, account_no, period) JOIN gl_account a USING (account_no)
        WHERE a.is_leaf = 1 AND b.org_code <> '000000' AND (b.debit_cents <> COALESCE(v.d, 0) OR b.credit_cents <> COALESCE(v.c, 0))""",
    "parents are the sum of their leaves": """
        SELECT * FROM gl_balance b JOIN (SELECT org_code, parent_no, period, SUM(debit_cents) d, SUM(credit_cents) c,
            SUM(closing_debit_cents - closing_credit_cents) closing FROM gl_balance JOIN gl_account USING (account_no)
            WHERE parent_no IS NOT NULL GROUP BY 1, 2, 3) s
        ON s.org_code = b.org_code AND s.parent_no = b.account_no AND s.period = b.period
        WHERE b.debit_cents <> s.d OR b.credit_cents <> s.c OR b.closing_debit_cents - b.closing_credit_cents <> s.closing""",
    "the company is the sum of its branches": """
        SELECT account_no, period FROM gl_balance GROUP BY account_no, period
        HAVING SUM(CASE org_code WHEN '000000' THEN -debit_cents ELSE debit_cents END) <> 0
        OR SUM(CASE org_code WHEN '000000' THEN -credit_cents ELSE credit_cents END) <> 0
        OR SUM((CASE org_code WHEN '000000' THEN -1 ELSE 1 END) * (closing_debit_cents - closing_credit_cents)) <> 0""",
    "the year to date of premium and commission never falls": """
        SELECT * FROM gl_balance WHERE account_no IN ('6031', '6421') AND
        (closing_debit_cents - opening_debit_cents < 0 OR closing_credit_cents - opening_credit_cents < 0)""",
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
        SELECT 1 FROM gl_balance JOIN gl_account USING (account_no) WHERE level = 1
        GROUP BY org_code, period HAVING SUM(debit_cents) <> SUM(credit_cents)
        OR SUM(closing_debit_cents) <> SUM(closing_credit_cents)""",
    "premium income is the business's": """
        SELECT * FROM gl_balance b LEFT JOIN (SELECT org_code, '6031' || line a, period, SUM(net) net FROM (
            SELECT org_code, line, substr(signed_on, 1, 4) || substr(signed_on, 6, 2) period, premium_net_cents net FROM policy
            UNION ALL SELECT org_code, line, substr(effective_on, 1, 4) || substr(effective_on, 6, 2), premium_net_change_cents
            FROM endorsement JOIN policy USING (policy_no)) GROUP BY 1, 2, 3) v
        ON v.org_code = b.org_code AND v.a = b.account_no AND v.period = b.period
        WHERE b.org_code <> '000000' AND b.account_no LIKE '6031_%' AND (b.debit_cents <> 0 OR b.credit_cents <> COALESCE(v.net, 0))""",
    "claims paid are the business's": """
        SELECT * FROM gl_balance b LEFT JOIN (SELECT y.org_code, '6511' || line a,
            substr(paid_on, 1, 4) || substr(paid_on, 6, 2) period, SUM(amount_cents) paid
            FROM payment y JOIN claim USING (claim_no) GROUP BY 1, 2, 3) v
        ON v.org_code = b.org_code AND v.a = b.account_no AND v.period = b.period
        WHERE b.org_code <> '000000' AND b.account_no LIKE '6511_%' AND (b.credit_cents <> 0 OR b.debit_cents <> COALESCE(v.paid, 0))""",
    "commission is the business's": """
        SELECT * FROM gl_balance b LEFT JOIN (SELECT org_code, '6421' || line a,
            substr(accrued_on, 1, 4) || substr(accrued_on, 6, 2) period, SUM(payable_cents) owed FROM commission GROUP BY 1, 2, 3) v
        ON v.org_code = b.org_code AND v.a = b.account_no AND v.period = b.period
        WHERE b.org_code <> '000000' AND b.account_no LIKE '6421_%' AND (b.credit_cents <> 0 OR b.debit_cents <> COALESCE(v.owed, 0))""",
    "outstanding claims are the reserve": """
        SELECT * FROM gl_balance b WHERE account_no LIKE '260201%' AND period = '202604' AND org_code <> '000000'
        AND closing_credit_cents <> (SELECT COALESCE(SUM(reserve_cents), 0) FROM claim c
        WHERE c.org_code = b.org_code AND '260201' || c.line = b.account_no)""",
    "commission owed": """
        SELECT * FROM gl_balance b WHERE account_no = '2202' AND period = '202604' AND org_code <> '000000' AND closing_credit_cents <>
        (SELECT COALESCE(SUM(payable_cents - paid_cents), 0) FROM commission c WHERE c.org_code = b.org_code)""",
    "reinsurers owed": """
        SELECT * FROM gl_balance b WHERE account_no = '2261' AND period = '202604' AND org_code <> '000000' AND closing_credit_cents <>
        (SELECT COALESCE(SUM(balance_cents), 0) FROM ceded_bill c WHERE c.org_code = b.org_code)""",
    "premium receivable": """
        SELECT * FROM gl_balance b WHERE account_no = '1122' AND period = '202604' AND org_code <> '000000' AND closing_debit_cents <>
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
    ((accounts,),) = core.execute("SELECT COUNT(*) FROM gl_account")
    assert (count, first, last) == ((3 + 1) * accounts * 10, "202507", "202604")
    assert accounts == 14 + 9 * 15 + 8


@pytest.mark.parametrize(
    "key",
    [
        "policy.policy_no",
        "customer.customer_id",
        "endorsement.endorsement_no",
        "claim.claim_no",
        "payment.payment_no",
        "product.product_code",
        "staff.staff_id",
        "staff.id_no",
        "seller.seller_code",
        "intermediary.intermediary_code",
        "intermediary.uscc",
        "planned_fee.fee_no",
        "ceded_bill.bill_no",
        "recovery.recovery_no",
        "gl_account.account_no",
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
    codes = [
        code
        for (code,) in core.execute("SELECT uscc FROM organisation UNION ALL SELECT uscc FROM intermediary")
    ]
    assert len(set(codes)) == len(codes)
    assert all(uscc.is_valid(code) for code in codes)
    people = core.execute("SELECT id_no FROM staff UNION ALL SELECT id_no FROM seller").fetchall()
    assert all(ric.calc_check_digit(number) == number[-1] for (number,) in people)
    accounts = core.execute("SELECT bank_account FROM staff UNION SELECT counterparty_account FROM payment")
    assert all(luhn.is_valid(account) for (account,) in accounts)


def test_number_plates_have_the_form_of_their_colour(core: sqlite3.Connection) -> None:
    short, long = re.compile("[浙粤京]A[A-HJ-NP-Z]{2}[0-9]{3}"), re.compile("[浙粤京]A[DEF][0-9]{5}")
    plates = core.execute("SELECT plate_no, plate_colour FROM vehicle WHERE plate_no IS NOT NULL").fetchall()
    assert {colour for _, colour in plates} == {"蓝", "黄", "绿"}
    for plate, colour in plates:
        assert (long if colour == "绿" else short).fullmatch(plate), plate


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
    assert lines == {line.code for line in LINES}
    assert len(lines) == 15
    assert own <= {"QC", "GC", "ZR", "XY", "BZ", "CB", "HY", "TF", "QT"}
    assert len(own) > 3
