-- First-level accounts only: those below are contained in them. A difference of the balances is blamed on the month in which
-- it arises, not on those that carry it on.
WITH totals AS (
    SELECT FZJGDM, KJQJ, HBDM, SUM(BQJF) AS debit, SUM(BQDF) AS credit, SUM(QMJF) AS closing_debit, SUM(QMDF) AS closing_credit
    FROM ZZKJQKMB
    WHERE KMJC = 1
    GROUP BY FZJGDM, KJQJ, HBDM
),
carried AS (
    SELECT *,
        COALESCE(LAG(closing_debit - closing_credit) OVER (PARTITION BY FZJGDM, HBDM ORDER BY KJQJ), 0) AS before
    FROM totals
),
compared AS (
    SELECT *,
        CASE
            WHEN debit <> credit THEN 'BQJF'
            WHEN closing_debit - closing_credit NOT IN (0, before) THEN 'QMJF'
        END AS field
    FROM carried
)
SELECT FZJGDM, '合计' AS KMBH, KJQJ, HBDM, FZJGDM AS organisation, field,
    CASE field WHEN 'BQJF' THEN debit ELSE closing_debit END AS value,
    CASE field WHEN 'BQJF' THEN credit ELSE closing_credit END AS expected
FROM compared
WHERE field IS NOT NULL
