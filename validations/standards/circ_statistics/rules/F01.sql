SELECT p.JGDM, p.XMDM, p.JE AS value, s.total AS expected, p.JE - s.total AS difference
FROM HZB AS p
JOIN (
    SELECT c.JGDM, i.SJXM, SUM(c.JE) AS total, COUNT(*) - COUNT(c.JE) AS empty
    FROM HZB AS c
    JOIN XMB AS i ON i.XMDM = c.XMDM
    WHERE i.SJXM IS NOT NULL
    GROUP BY c.JGDM, i.SJXM
) AS s ON s.JGDM = p.JGDM AND s.SJXM = p.XMDM
WHERE s.empty = 0 AND p.JE <> s.total
