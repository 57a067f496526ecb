-- Claims paid against the debits of 6511.
-- Only what was paid within the period counts, though the tables hold older rows of the same policies. The ledger is kept
-- in one currency per account; a line and month without a ledger row is blamed on the account where it belongs.
WITH business AS (
    SELECT BXJGDM AS FZJGDM, XL, strftime(ZFRQ, '%Y%m') AS KJQJ, PKJE AS amount
    FROM PKZFB WHERE ZFRQ BETWEEN CAST($date_from AS DATE) AND CAST($date_to AS DATE)
),
business_sums AS (
    SELECT FZJGDM, '6511' || XL AS KMBH, KJQJ, SUM(amount) AS amount
    FROM business GROUP BY FZJGDM, XL, KJQJ
),
ledger AS (
    SELECT FZJGDM, KMBH, KJQJ, MIN(HBDM) AS HBDM, SUM(BQJF - BQDF) AS amount
    FROM ZZKJQKMB
    WHERE KMBH LIKE '6511_%' AND KJQJ BETWEEN $period_from AND $period_to
    GROUP BY FZJGDM, KMBH, KJQJ
)
SELECT
    COALESCE(l.FZJGDM, b.FZJGDM) AS FZJGDM,
    COALESCE(l.KMBH, b.KMBH) AS KMBH,
    COALESCE(l.KJQJ, b.KJQJ) AS KJQJ,
    COALESCE(l.HBDM, 'CNY') AS HBDM,
    COALESCE(l.FZJGDM, b.FZJGDM) AS organisation,
    COALESCE(l.amount, 0) AS value,
    COALESCE(b.amount, 0) AS expected,
    COALESCE(l.amount, 0) - COALESCE(b.amount, 0) AS difference
FROM ledger AS l
FULL JOIN business_sums AS b ON b.FZJGDM = l.FZJGDM AND b.KMBH = l.KMBH AND b.KJQJ = l.KJQJ
WHERE COALESCE(l.amount, 0) <> COALESCE(b.amount, 0)
