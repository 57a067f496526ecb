-- An organisation in one of the five cities reports to the company, or to one in the same city.
SELECT o.JGDM, o.SJJGDM AS value, u.XZQH AS expected
FROM JGB AS o
JOIN JGB AS u ON u.JGDM = o.SJJGDM
WHERE substr(o.XZQH, 1, 4) IN ('2102', '3302', '3502', '3702', '4403')
    AND u.CJ <> 0
    AND COALESCE(substr(u.XZQH, 1, 4), '') <> substr(o.XZQH, 1, 4)
