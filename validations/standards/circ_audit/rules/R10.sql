-- An organisation whose subordinates keep ledgers of their own is their sum, account by account.
-- A difference of the balances is blamed on the month in which it arises, not on those that carry it on.
WITH subordinates AS (
    SELECT g.SJJGDM AS FZJGDM, l.KMBH, l.KJQJ, l.HBDM, SUM(l.BQJF) AS debit, SUM(l.BQDF) AS credit, SUM(l.QMJF - l.QMDF) AS balance
    FROM ZZKJQKMB AS l
    JOIN JGXXB AS g USING (FZJGDM)
    GROUP BY g.SJJGDM, l.KMBH, l.KJQJ, l.HBDM
),
carried AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, a.BQJF, a.BQDF, a.QMJF - a.QMDF AS closing, b.debit, b.credit, b.balance,
        COALESCE(
            LAG(a.QMJF - a.QMDF - b.balance) OVER (PARTITION BY FZJGDM, KMBH, HBDM ORDER BY KJQJ), 0
        ) AS before
    FROM ZZKJQKMB AS a
    JOIN subordinates AS b USING (FZJGDM, KMBH, KJQJ, HBDM)
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
