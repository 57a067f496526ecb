-- The company's values against the accepted flash report of the same month.
SELECT b.JGDM, b.XMDM, b.JE AS value, p.JE AS expected, b.JE - p.JE AS difference
FROM BSXM AS b
JOIN JGB AS o ON o.JGDM = b.JGDM AND o.CJ = 0
JOIN circ_statistics.BSXM AS p ON p.JGDM = b.JGDM AND p.XMDM = b.XMDM
WHERE 100 * abs(b.JE - p.JE) > CAST($flash_percent AS DECIMAL(10, 2)) * abs(p.JE)
