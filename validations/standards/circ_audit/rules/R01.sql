-- Premium income: policies as signed and endorsements as they took effect, without VAT, against the credits of 6031.
-- Only what falls within the period counts, though the tables hold older rows of the same policies; what was entered twice
-- (A02) counts once.
-- The ledger is kept in one currency per account; a line and month without a ledger row is blamed on the account where it
-- belongs. The head office's ledger is the sum of the branches (R10) and has no business of its own.
WITH business AS (
    SELECT DISTINCT BDH AS number, BXJGDM AS FZJGDM, XL, strftime(QDRQ, '%Y%m') AS KJQJ, BFBHS AS amount
    FROM BDXXB WHERE QDRQ BETWEEN CAST($date_from AS DATE) AND CAST($date_to AS DATE)
    UNION ALL
    SELECT DISTINCT PDH, BXJGDM, XL, strftime(PDSXRQ, '%Y%m'), BFBHLBHS
    FROM PDXXB WHERE PDSXRQ BETWEEN CAST($date_from AS DATE) AND CAST($date_to AS DATE)
),
business_sums AS (
    SELECT FZJGDM, '6031' || XL AS KMBH, KJQJ, SUM(amount) AS amount
    FROM business GROUP BY FZJGDM, XL, KJQJ
),
ledger AS (
    SELECT FZJGDM, KMBH, KJQJ, MIN(HBDM) AS HBDM, SUM(BQDF - BQJF) AS amount
    FROM ZZKJQKMB ANTI JOIN (SELECT FZJGDM FROM JGXXB WHERE SJJGDM IS NULL) AS head USING (FZJGDM)
    WHERE KMBH LIKE '6031_%' AND KJQJ BETWEEN $period_from AND $period_to
    GROUP BY FZJGDM, KMBH, KJQJ
)
SELECT
    FZJGDM,
    KMBH,
    KJQJ,
    COALESCE(l.HBDM, 'CNY') AS HBDM,
    FZJGDM AS organisation,
    COALESCE(l.amount, 0) AS value,
    COALESCE(b.amount, 0) AS expected,
    COALESCE(l.amount, 0) - COALESCE(b.amount, 0) AS difference
FROM ledger AS l
FULL JOIN business_sums AS b USING (FZJGDM, KMBH, KJQJ)
WHERE COALESCE(l.amount, 0) <> COALESCE(b.amount, 0)
