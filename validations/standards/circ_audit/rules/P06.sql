-- Premium by branch and line against the month before, be it in this filing or the last; pointed out from outlier_floor yuan on.
WITH months AS (
    SELECT FZJGDM, KMBH, HBDM, KJQJ, BQDF - BQJF AS amount FROM ZZKJQKMB
    UNION
    SELECT FZJGDM, KMBH, HBDM, KJQJ, BQDF - BQJF FROM previous.ZZKJQKMB
),
before AS (
    SELECT FZJGDM, KMBH, HBDM, strftime(try_strptime(KJQJ || '01', '%Y%m%d') + INTERVAL 1 MONTH, '%Y%m') AS KJQJ, amount FROM months
)
SELECT FZJGDM, KMBH, KJQJ, HBDM, FZJGDM AS organisation, m.amount AS value, b.amount AS expected, m.amount - b.amount AS difference
FROM months AS m JOIN before AS b USING (FZJGDM, KMBH, HBDM, KJQJ)
WHERE KMBH LIKE '6031_%' AND KJQJ BETWEEN $period_from AND $period_to
    AND ABS(m.amount - b.amount) * 100 > ABS(b.amount) * CAST($outlier_percent AS DECIMAL(10, 2))
    AND ABS(m.amount - b.amount) >= CAST($outlier_floor AS DECIMAL(20, 2))
