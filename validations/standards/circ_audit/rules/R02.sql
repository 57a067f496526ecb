-- Claims paid against the debits of 6511.
-- Only what falls within the period counts, though the tables hold older rows of the same policies; what was entered twice
-- (A02) counts once.
-- The ledger is kept in one currency per account; a line and month without a ledger row is blamed on the account where it
-- belongs. The head office's ledger is the sum of the branches (R10) and has no business of its own.
WITH business AS (
    SELECT DISTINCT PAH, JSSH, ZFXH, BXJGDM AS FZJGDM, XL, strftime(ZFRQ, '%Y%m') AS KJQJ, PKJE AS amount
    FROM PKZFB WHERE ZFRQ BETWEEN CAST($date_from AS DATE) AND CAST($date_to AS DATE)
),
business_sums AS (
    SELECT FZJGDM, '6511' || XL AS KMBH, KJQJ, SUM(amount) AS amount
    FROM business GROUP BY FZJGDM, XL, KJQJ
),
ledger AS (
    SELECT FZJGDM, KMBH, KJQJ, MIN(HBDM) AS HBDM, SUM(BQJF - BQDF) AS amount
    FROM ZZKJQKMB ANTI JOIN (SELECT FZJGDM FROM JGXXB WHERE SJJGDM IS NULL) AS head USING (FZJGDM)
    WHERE KMBH LIKE '6511_%' AND KJQJ BETWEEN $period_from AND $period_to
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
