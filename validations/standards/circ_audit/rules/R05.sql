-- Leaf accounts only: vouchers are booked there. Accounts of a month that an unbalanced voucher (R04) touches only follow from it.
-- The head office's ledger is the sum of the branches (R10) and has no vouchers of its own.
WITH unbalanced AS (
    SELECT FZJGDM, PZH FROM CWPZXXB GROUP BY FZJGDM, PZH, HBDM HAVING SUM(JFJE) <> SUM(DFJE)
),
touched AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM FROM CWPZXXB SEMI JOIN unbalanced USING (FZJGDM, PZH)
),
booked AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, SUM(JFJE) AS debit, SUM(DFJE) AS credit
    FROM CWPZXXB
    WHERE KJQJ BETWEEN $period_from AND $period_to
    GROUP BY FZJGDM, KMBH, KJQJ, HBDM
),
above AS (
    SELECT FZJGDM, SJKMBH AS KMBH FROM ZZKJQKMB
),
ledger AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, BQJF, BQDF
    FROM ZZKJQKMB
    ANTI JOIN above USING (FZJGDM, KMBH)
    ANTI JOIN (SELECT FZJGDM FROM JGXXB WHERE SJJGDM IS NULL) AS head USING (FZJGDM)
    WHERE KJQJ BETWEEN $period_from AND $period_to
),
compared AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, b.debit, b.credit, l.BQJF, l.BQDF,
        CASE WHEN COALESCE(l.BQJF, 0) <> COALESCE(b.debit, 0) THEN 'BQJF' WHEN COALESCE(l.BQDF, 0) <> COALESCE(b.credit, 0) THEN 'BQDF' END AS field
    FROM ledger AS l
    FULL JOIN booked AS b USING (FZJGDM, KMBH, KJQJ, HBDM)
)
SELECT FZJGDM, KMBH, KJQJ, HBDM, FZJGDM AS organisation, field,
    CASE field WHEN 'BQJF' THEN COALESCE(BQJF, 0) ELSE COALESCE(BQDF, 0) END AS value,
    CASE field WHEN 'BQJF' THEN COALESCE(debit, 0) ELSE COALESCE(credit, 0) END AS expected
FROM compared
ANTI JOIN touched USING (FZJGDM, KMBH, KJQJ, HBDM)
WHERE field IS NOT NULL
