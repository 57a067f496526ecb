-- Branches only: the ledger knows no sub-branch, and the company is the sum of its branches. An item that the ledger knows
-- for any branch is due for every branch: a missing balance counts as zero.
SELECT b.JGDM, b.XMDM, b.JE AS value, COALESCE(g.JE, 0) AS expected, b.JE - COALESCE(g.JE, 0) AS difference
FROM BSXM AS b
JOIN JGB AS o ON o.JGDM = b.JGDM AND o.CJ = 1
LEFT JOIN (SELECT JGDM, XMDM, SUM(JE) AS JE FROM ZZYE GROUP BY JGDM, XMDM) AS g ON g.JGDM = b.JGDM AND g.XMDM = b.XMDM
WHERE b.XMDM IN (SELECT XMDM FROM ZZYE) AND b.JE <> COALESCE(g.JE, 0)
