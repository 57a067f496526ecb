SELECT e.JGDM, e.XMDM, e.JE AS value, b.JE + r.JE - c.JE AS expected, e.JE - (b.JE + r.JE - c.JE) AS difference
FROM HZB AS e
JOIN HZB AS b ON b.JGDM = e.JGDM AND b.XMDM = 'NJ' || substr(e.XMDM, 3)
JOIN HZB AS r ON r.JGDM = e.JGDM AND r.XMDM = 'BJ' || substr(e.XMDM, 3)
JOIN HZB AS c ON c.JGDM = e.JGDM AND c.XMDM = 'YJ' || substr(e.XMDM, 3)
WHERE starts_with(e.XMDM, 'WJ') AND e.JE <> b.JE + r.JE - c.JE
