-- An account that has others below it is their sum; the closing balance as debit less credit.
-- A difference of the balances is blamed on the month in which it arises, not on those that carry it on.
WITH below AS (
    SELECT FZJGDM, SJKMBH AS KMBH, KJQJ, HBDM, SUM(BQJF) AS debit, SUM(BQDF) AS credit, SUM(QMJF - QMDF) AS balance
    FROM ZZKJQKMB
    GROUP BY FZJGDM, SJKMBH, KJQJ, HBDM
),
carried AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, a.BQJF, a.BQDF, a.QMJF - a.QMDF AS closing, b.debit, b.credit, b.balance,
        COALESCE(
            LAG(a.QMJF - a.QMDF - b.balance) OVER (PARTITION BY FZJGDM, KMBH, HBDM ORDER BY KJQJ), 0
        ) AS before
    FROM ZZKJQKMB AS a
    JOIN below AS b USING (FZJGDM, KMBH, KJQJ, HBDM)
),
compared AS (
    SELECT *,
        CASE
            WHEN BQJF <> debit THEN 'BQJF'
            WHEN BQDF <> credit THEN 'BQDF'
            WHEN closing - balance NOT IN (0, before) THEN 'QMJF'
        END AS field
    FROM carried
)
SELECT FZJGDM, KMBH, KJQJ, HBDM, field,
    CASE field WHEN 'BQJF' THEN BQJF WHEN 'BQDF' THEN BQDF ELSE closing END AS value,
    CASE field WHEN 'BQJF' THEN debit WHEN 'BQDF' THEN credit ELSE balance END AS expected
FROM compared
WHERE field IS NOT NULL
