-- An account that has others below it is their sum; the closing balance as debit less credit. Either side may lack its row,
-- which then counts as zero: a missing account is blamed under its own key, in every month in which those below hold something.
-- Any other difference of the balances is blamed on the month in which it arises, not on those that carry it on.
WITH below AS (
    SELECT FZJGDM, SJKMBH AS KMBH, KJQJ, HBDM, SUM(BQJF) AS debit, SUM(BQDF) AS credit, SUM(QMJF - QMDF) AS balance
    FROM ZZKJQKMB
    WHERE SJKMBH IS NOT NULL
    GROUP BY FZJGDM, SJKMBH, KJQJ, HBDM
),
parents AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, BQJF, BQDF, QMJF - QMDF AS closing, false AS missing
    FROM ZZKJQKMB SEMI JOIN below USING (FZJGDM, KMBH)
    UNION ALL
    SELECT FZJGDM, KMBH, KJQJ, HBDM, 0, 0, 0, true
    FROM below ANTI JOIN ZZKJQKMB USING (FZJGDM, KMBH, KJQJ, HBDM)
),
compared AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, a.BQJF, a.BQDF, a.closing, a.missing,
        CASE WHEN b.KJQJ IS NULL THEN 0 ELSE b.debit END AS debit,
        CASE WHEN b.KJQJ IS NULL THEN 0 ELSE b.credit END AS credit,
        CASE WHEN b.KJQJ IS NULL THEN 0 ELSE b.balance END AS balance
    FROM parents AS a
    LEFT JOIN below AS b USING (FZJGDM, KMBH, KJQJ, HBDM)
),
carried AS (
    SELECT *,
        CASE WHEN missing THEN 0 ELSE COALESCE(LAG(closing - balance) OVER (PARTITION BY FZJGDM, KMBH, HBDM ORDER BY KJQJ), 0) END AS before
    FROM compared
),
judged AS (
    SELECT *,
        CASE
            WHEN BQJF <> debit THEN 'BQJF'
            WHEN BQDF <> credit THEN 'BQDF'
            WHEN closing - balance NOT IN (0, before) THEN 'QMJF'
        END AS field
    FROM carried
)
SELECT FZJGDM, KMBH, KJQJ, HBDM, FZJGDM AS organisation, field,
    CASE field WHEN 'BQJF' THEN BQJF WHEN 'BQDF' THEN BQDF ELSE closing END AS value,
    CASE field WHEN 'BQJF' THEN debit WHEN 'BQDF' THEN credit ELSE balance END AS expected
FROM judged
WHERE field IS NOT NULL
