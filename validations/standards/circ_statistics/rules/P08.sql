-- What is signed or added by endorsement only grows: premium income with surrenders and reductions added back, by line.
WITH now AS (
    SELECT b.JGDM, b.XMDM, b.JE + s.JE + r.JE AS JE
    FROM BSXM AS b
    JOIN BSXM AS s ON s.JGDM = b.JGDM AND s.XMDM = 'TB' || substr(b.XMDM, 3)
    JOIN BSXM AS r ON r.JGDM = b.JGDM AND r.XMDM = 'PJ' || substr(b.XMDM, 3)
    WHERE starts_with(b.XMDM, 'BF')
),
earlier AS (
    SELECT b.JGDM, b.XMDM, b.JE + s.JE + r.JE AS JE
    FROM previous.BSXM AS b
    JOIN previous.BSXM AS s ON s.JGDM = b.JGDM AND s.XMDM = 'TB' || substr(b.XMDM, 3)
    JOIN previous.BSXM AS r ON r.JGDM = b.JGDM AND r.XMDM = 'PJ' || substr(b.XMDM, 3)
    WHERE starts_with(b.XMDM, 'BF')
)
SELECT n.JGDM, n.XMDM, n.JE AS value, e.JE AS expected, n.JE - e.JE AS difference
FROM now AS n
JOIN earlier AS e ON e.JGDM = n.JGDM AND e.XMDM = n.XMDM
WHERE substr($previous_to, 1, 4) = substr($year_from, 1, 4) AND $previous_to < $date_to AND n.JE < e.JE
