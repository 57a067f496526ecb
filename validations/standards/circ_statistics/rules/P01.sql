SELECT b.JGDM, b.XMDM, b.JE AS value, p.JE AS expected, b.JE - p.JE AS difference
FROM BSXM AS b
JOIN XMB AS i ON i.XMDM = b.XMDM
JOIN previous.BSXM AS p ON p.JGDM = b.JGDM AND p.XMDM = i.QMXM
WHERE CAST($previous_to AS DATE) + 1 = CAST($year_from AS DATE) AND b.JE <> p.JE
