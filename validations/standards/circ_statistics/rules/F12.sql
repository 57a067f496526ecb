-- Branches only: a branch keeps its own books, and the company is the sum of its branches (R10).
SELECT a.JGDM, a.XMDM, a.JE AS value, l.JE + e.JE AS expected, a.JE - (l.JE + e.JE) AS difference
FROM HZB AS a
JOIN JGB AS o ON o.JGDM = a.JGDM AND o.CJ = 1
JOIN HZB AS l ON l.JGDM = a.JGDM AND l.XMDM = 'FZ000000'
JOIN HZB AS e ON e.JGDM = a.JGDM AND e.XMDM = 'QY000000'
WHERE a.XMDM = 'ZC000000' AND a.JE <> l.JE + e.JE
