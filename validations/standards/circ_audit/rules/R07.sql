-- First-level accounts only: those below are contained in them. The opening is the month before (P01).
WITH totals AS (
    SELECT FZJGDM, KJQJ, HBDM, SUM(BQJF) AS debit, SUM(BQDF) AS credit, SUM(QMJF) AS closing_debit, SUM(QMDF) AS closing_credit
    FROM ZZKJQKMB
    WHERE KMJC = 1
    GROUP BY FZJGDM, KJQJ, HBDM
),
compared AS (
    SELECT *, CASE WHEN debit <> credit THEN 'BQJF' WHEN closing_debit <> closing_credit THEN 'QMJF' END AS field
    FROM totals
)
SELECT FZJGDM, '合计' AS KMBH, KJQJ, HBDM, FZJGDM AS organisation, field,
    CASE field WHEN 'BQJF' THEN debit ELSE closing_debit END AS value,
    CASE field WHEN 'BQJF' THEN credit ELSE closing_credit END AS expected
FROM compared
WHERE field IS NOT NULL
