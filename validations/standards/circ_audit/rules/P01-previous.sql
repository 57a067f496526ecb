-- The first month of the filing against the last one of the filing before; an opening side left empty is zero.
WITH openings AS (
    SELECT FZJGDM, KMBH, HBDM, KJQJ, COALESCE(QCJF, 0) - COALESCE(QCDF, 0) AS net FROM ZZKJQKMB
),
closings AS (
    SELECT FZJGDM, KMBH, HBDM, QMJF - QMDF AS net,
        strftime(try_strptime(KJQJ || '01', '%Y%m%d') + INTERVAL 1 MONTH, '%Y%m') AS KJQJ
    FROM previous.ZZKJQKMB
)
SELECT o.FZJGDM, o.KMBH, o.KJQJ, o.HBDM, o.net AS value, c.net AS expected, o.net - c.net AS difference
FROM openings AS o
JOIN closings AS c USING (FZJGDM, KMBH, HBDM, KJQJ)
WHERE o.net <> c.net
    AND NOT (o.KJQJ LIKE '%01' AND o.KMBH LIKE '6%' AND o.net = 0)
