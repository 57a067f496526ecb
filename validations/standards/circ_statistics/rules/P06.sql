-- The company's top items. A flow: the average month since the previous report against the average month until then, within
-- one year. A balance: its change since the previous report. What was zero has no percentage.
WITH months AS (
    SELECT month(CAST($previous_to AS DATE)) AS until_then, month(CAST($date_to AS DATE)) - month(CAST($previous_to AS DATE)) AS since
)
SELECT b.JGDM, b.XMDM, b.JE AS value, p.JE AS expected, b.JE - p.JE AS difference
FROM BSXM AS b
JOIN JGB AS o ON o.JGDM = b.JGDM AND o.CJ = 0
JOIN XMB AS i ON i.XMDM = b.XMDM AND i.CJ = 1
JOIN previous.BSXM AS p ON p.JGDM = b.JGDM AND p.XMDM = b.XMDM
CROSS JOIN months AS m
WHERE p.JE <> 0
    AND $previous_to < $date_to
    AND CASE i.LX
        WHEN '流量' THEN substr($previous_to, 1, 4) = substr($year_from, 1, 4)
            AND 100 * abs((b.JE - p.JE) * m.until_then - p.JE * m.since) > CAST($outlier_percent AS DECIMAL(10, 2)) * abs(p.JE) * m.since
        WHEN '期末' THEN 100 * abs(b.JE - p.JE) > CAST($outlier_percent AS DECIMAL(10, 2)) * abs(p.JE)
    END
