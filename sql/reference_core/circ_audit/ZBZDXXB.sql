-- The monthly accounts with reinsurers of the branches in scope, dated in the period.
SELECT
    b.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    b.bill_no AS ZDH,
    b.treaty_no AS ZBHTH,
    b.reinsurer_code AS ZBRDM,
    b.line AS XL,
    b.billed_on AS ZDRQ,
    b.period AS KJQJ,
    b.premium_cents AS FCBF__cents,
    b.commission_cents AS THFBFY__cents,
    b.recovered_cents AS THPK__cents,
    b.balance_cents AS ZDYE__cents,
    b.currency AS HBDM,
    CASE WHEN b.settled_on <= :date_to THEN b.settled_on END AS JSRQ,
    b.voucher_no AS PZH
FROM ceded_bill AS b
LEFT JOIN organisation AS o ON o.org_code = b.org_code
WHERE b.org_code IN :organisations AND b.billed_on BETWEEN :date_from AND :date_to
