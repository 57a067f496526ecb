-- An organisation whose subordinates keep ledgers of their own is their sum, account by account.
WITH subordinates AS (
    SELECT g.SJJGDM AS FZJGDM, l.KMBH, l.KJQJ, l.HBDM, SUM(l.BQJF) AS debit, SUM(l.BQDF) AS credit, SUM(l.QMJF - l.QMDF) AS balance
    FROM ZZKJQKMB AS l
    JOIN JGXXB AS g USING (FZJGDM)
    GROUP BY g.SJJGDM, l.KMBH, l.KJQJ, l.HBDM
),
compared AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, a.BQJF, a.BQDF, a.QMJF - a.QMDF AS closing, b.debit, b.credit, b.balance,
        CASE WHEN a.BQJF <> b.debit THEN 'BQJF' WHEN a.BQDF <> b.credit THEN 'BQDF' WHEN a.QMJF - a.QMDF <> b.balance THEN 'QMJF' END AS field
    FROM ZZKJQKMB AS a
    JOIN subordinates AS b USING (FZJGDM, KMBH, KJQJ, HBDM)
)
SELECT FZJGDM, KMBH, KJQJ, HBDM, field,
    CASE field WHEN 'BQJF' THEN BQJF WHEN 'BQDF' THEN BQDF ELSE closing END AS value,
    CASE field WHEN 'BQJF' THEN debit WHEN 'BQDF' THEN credit ELSE balance END AS expected
FROM compared
WHERE field IS NOT NULL
