-- Between the months of the filing; an opening side left empty is zero. Where income and expense accounts are closed at the
-- year's end they open January with zero. Where last month's closing balance does not follow from its own opening and
-- movements (R06), an opening balance that does is right.
WITH months AS (
    SELECT FZJGDM, KMBH, HBDM, KJQJ, COALESCE(QCJF, 0) - COALESCE(QCDF, 0) AS opening, QMJF - QMDF AS closing, BQJF - BQDF AS movement
    FROM ZZKJQKMB
),
closings AS (
    SELECT FZJGDM, KMBH, HBDM, closing, opening + movement AS carried,
        strftime(try_strptime(KJQJ || '01', '%Y%m%d') + INTERVAL 1 MONTH, '%Y%m') AS KJQJ
    FROM months
)
SELECT o.FZJGDM, o.KMBH, o.KJQJ, o.HBDM, o.opening AS value, c.closing AS expected, o.opening - c.closing AS difference
FROM months AS o
JOIN closings AS c USING (FZJGDM, KMBH, HBDM, KJQJ)
WHERE o.opening <> c.closing AND o.opening <> c.carried
    AND NOT (o.KJQJ LIKE '%01' AND o.KMBH LIKE '6%' AND o.opening = 0)
