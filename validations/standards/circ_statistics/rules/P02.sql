-- Counts and amounts that only grow within a year; premium income, which refunds reduce, is P08's.
SELECT b.JGDM, b.XMDM, b.JE AS value, p.JE AS expected, b.JE - p.JE AS difference
FROM BSXM AS b
JOIN XMB AS i ON i.XMDM = b.XMDM AND i.SFDZ = 1
JOIN previous.BSXM AS p ON p.JGDM = b.JGDM AND p.XMDM = b.XMDM
WHERE substr($previous_to, 1, 4) = substr($year_from, 1, 4) AND $previous_to < $date_to AND b.JE < p.JE
