-- Leaf accounts only: vouchers are booked there. An unbalanced voucher (R04) explains a difference of the accounts it touches up
-- to the amount by which it is out, and no more.
-- The head office's ledger is the sum of the branches (R10) and has no vouchers of its own.
WITH unbalanced AS (
    SELECT FZJGDM, PZH, HBDM, ABS(SUM(JFJE) - SUM(DFJE)) AS amount
    FROM CWPZXXB GROUP BY FZJGDM, PZH, HBDM HAVING SUM(JFJE) <> SUM(DFJE)
),
touched AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, SUM(amount) AS amount
    FROM (SELECT DISTINCT FZJGDM, PZH, KMBH, KJQJ, HBDM FROM CWPZXXB) JOIN unbalanced USING (FZJGDM, PZH, HBDM)
    GROUP BY FZJGDM, KMBH, KJQJ, HBDM
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
sides AS (
    SELECT FZJGDM, KMBH, KJQJ, HBDM, COALESCE(t.amount, 0) AS explained,
        COALESCE(l.BQJF, 0) AS BQJF, COALESCE(b.debit, 0) AS debit, COALESCE(l.BQDF, 0) AS BQDF, COALESCE(b.credit, 0) AS credit
    FROM ledger AS l
    FULL JOIN booked AS b USING (FZJGDM, KMBH, KJQJ, HBDM)
    LEFT JOIN touched AS t USING (FZJGDM, KMBH, KJQJ, HBDM)
),
compared AS (
    SELECT *, CASE WHEN ABS(BQJF - debit) > explained THEN 'BQJF' WHEN ABS(BQDF - credit) > explained THEN 'BQDF' END AS field
    FROM sides
)
SELECT FZJGDM, KMBH, KJQJ, HBDM, FZJGDM AS organisation, field,
    CASE field WHEN 'BQJF' THEN BQJF ELSE BQDF END AS value,
    CASE field WHEN 'BQJF' THEN debit ELSE credit END AS expected
FROM compared
WHERE field IS NOT NULL
