-- Only items that add up across organisations. A company without branches in scope is not judged.
SELECT h.JGDM, h.XMDM, h.JE AS value, s.total AS expected, h.JE - s.total AS difference
FROM BSXM AS h
JOIN JGB AS o ON o.JGDM = h.JGDM AND o.CJ = 0
JOIN XMB AS i ON i.XMDM = h.XMDM AND i.SFKJ = 1
JOIN (
    SELECT b.XMDM, SUM(b.JE) AS total
    FROM BSXM AS b
    JOIN JGB AS o ON o.JGDM = b.JGDM AND o.CJ = 1
    GROUP BY b.XMDM
) AS s ON s.XMDM = h.XMDM
WHERE h.JE <> s.total
