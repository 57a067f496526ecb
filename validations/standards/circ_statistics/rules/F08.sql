-- Branches only: reserves are booked there, and the company is the sum of its branches (R10).
SELECT t.JGDM, t.XMDM, t.JE AS value, e.JE - b.JE AS expected, t.JE - (e.JE - b.JE) AS difference
FROM HZB AS t
JOIN JGB AS o ON o.JGDM = t.JGDM AND o.CJ = 1
JOIN HZB AS e ON e.JGDM = t.JGDM AND e.XMDM = 'WB' || substr(t.XMDM, 3)
JOIN HZB AS b ON b.JGDM = t.JGDM AND b.XMDM = 'NW' || substr(t.XMDM, 3)
WHERE starts_with(t.XMDM, 'TW') AND t.JE <> e.JE - b.JE
