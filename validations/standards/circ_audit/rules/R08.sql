-- An account that has others below it is their sum; the closing balance as debit less credit.
WITH below AS (
    SELECT FZJGDM, SJKMBH AS KMBH, KJQJ, HBDM, SUM(BQJF) AS debit, SUM(BQDF) AS credit, SUM(QMJF - QMDF) AS balance
    FROM ZZKJQKMB
    GROUP BY FZJGDM, SJKMBH, KJQJ, HBDM
),
compared AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, a.BQJF, a.BQDF, a.QMJF - a.QMDF AS closing, b.debit, b.credit, b.balance,
        CASE WHEN a.BQJF <> b.debit THEN 'BQJF' WHEN a.BQDF <> b.credit THEN 'BQDF' WHEN a.QMJF - a.QMDF <> b.balance THEN 'QMJF' END AS field
    FROM ZZKJQKMB AS a
    JOIN below AS b USING (FZJGDM, KMBH, KJQJ, HBDM)
)
SELECT FZJGDM, KMBH, KJQJ, HBDM, field,
    CASE field WHEN 'BQJF' THEN BQJF WHEN 'BQDF' THEN BQDF ELSE closing END AS value,
    CASE field WHEN 'BQJF' THEN debit WHEN 'BQDF' THEN credit ELSE balance END AS expected
FROM compared
WHERE field IS NOT NULL
