-- Branches only: the ledger knows no sub-branch, and the company is the sum of its branches. Held against the ledger are the leaf
-- lines of premium, claims and commission, the totals of what is booked without the line, and whatever else the ledger knows for
-- any branch; each is due for every branch, and a missing balance counts as zero.
WITH ledger AS (
    SELECT JGDM, XMDM, SUM(JE) AS JE FROM ZZYE GROUP BY JGDM, XMDM
),
due AS (
    SELECT XMDM FROM XMB WHERE ZB IN ('BF', 'PK', 'SX') AND SFMJ = 1 OR XMDM IN ('LP000000', 'FC000000', 'TP000000', 'TF000000')
    UNION
    SELECT XMDM FROM ledger
)
SELECT b.JGDM, b.XMDM, b.JE AS value, COALESCE(g.JE, 0) AS expected, b.JE - COALESCE(g.JE, 0) AS difference
FROM BSXM AS b
JOIN JGB AS o ON o.JGDM = b.JGDM AND o.CJ = 1
JOIN due AS d ON d.XMDM = b.XMDM
LEFT JOIN ledger AS g ON g.JGDM = b.JGDM AND g.XMDM = b.XMDM
WHERE b.JE <> COALESCE(g.JE, 0)
