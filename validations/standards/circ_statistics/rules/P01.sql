SELECT b.JGDM, b.XMDM, b.JE AS value, p.JE AS expected, b.JE - p.JE AS difference
FROM BSXM AS b
JOIN XMB AS i ON i.XMDM = b.XMDM
JOIN previous.BSXM AS p ON p.JGDM = b.JGDM AND p.XMDM = i.QMXM
WHERE date_diff('day', CAST($previous_to AS DATE), CAST($year_from AS DATE)) = 1 AND b.JE <> p.JE
