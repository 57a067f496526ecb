-- Line by line; the items of one line end alike.
SELECT w.JGDM, w.XMDM, w.JE AS value, y.JE + i.JE + l.JE AS expected, w.JE - (y.JE + i.JE + l.JE) AS difference
FROM HZB AS w
JOIN HZB AS y ON y.JGDM = w.JGDM AND y.XMDM = 'YB' || substr(w.XMDM, 3)
JOIN HZB AS i ON i.JGDM = w.JGDM AND i.XMDM = 'IB' || substr(w.XMDM, 3)
JOIN HZB AS l ON l.JGDM = w.JGDM AND l.XMDM = 'LF' || substr(w.XMDM, 3)
WHERE starts_with(w.XMDM, 'WB') AND w.JE <> y.JE + i.JE + l.JE
