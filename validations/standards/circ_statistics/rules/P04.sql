SELECT b.JGDM, b.XMDM, b.JE AS value, p.JE AS expected, b.JE - p.JE AS difference
FROM BSXM AS b
JOIN XMB AS i ON i.XMDM = b.XMDM AND i.LX = '期初'
JOIN previous.BSXM AS p ON p.JGDM = b.JGDM AND p.XMDM = b.XMDM
WHERE substr($previous_to, 1, 4) = substr($year_from, 1, 4) AND b.JE <> p.JE
