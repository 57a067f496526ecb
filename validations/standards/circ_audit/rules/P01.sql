-- Between the months of the filing. Where income and expense accounts are closed at the year's end they open January with zero.
WITH closings AS (
    SELECT FZJGDM, KMBH, HBDM, QMJF - QMDF AS net,
        strftime(try_strptime(KJQJ || '01', '%Y%m%d') + INTERVAL 1 MONTH, '%Y%m') AS KJQJ
    FROM ZZKJQKMB
)
SELECT o.FZJGDM, o.KMBH, o.KJQJ, o.HBDM, o.QCJF - o.QCDF AS value, c.net AS expected, o.QCJF - o.QCDF - c.net AS difference
FROM ZZKJQKMB AS o
JOIN closings AS c USING (FZJGDM, KMBH, HBDM, KJQJ)
WHERE o.QCJF - o.QCDF <> c.net
    AND NOT (o.KJQJ LIKE '%01' AND o.KMBH LIKE '6%' AND o.QCJF - o.QCDF = 0)
