-- What the accounts of the period recover, claim by claim; and recoveries of the period that no account owns. The line stands
-- in the claim number, PA + branch (6) + line (2).
SELECT
    r.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    r.recovery_no AS THH,
    r.bill_no AS ZDH,
    r.claim_no AS PAH,
    COALESCE(b.line, SUBSTR(r.claim_no, 9, 2)) AS XL,
    r.amount_cents AS THJE__cents,
    r.recovered_on AS THRQ,
    'CNY' AS HBDM,
    b.voucher_no AS PZH
FROM recovery AS r
LEFT JOIN ceded_bill AS b ON b.bill_no = r.bill_no
LEFT JOIN organisation AS o ON o.org_code = r.org_code
WHERE r.org_code IN :organisations
    AND COALESCE(b.billed_on, r.recovered_on) BETWEEN :date_from AND :date_to
