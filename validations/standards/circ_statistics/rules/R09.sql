-- Branches only: the ledger knows no sub-branch, and the company is the sum of its branches.
SELECT b.JGDM, b.XMDM, b.JE AS value, g.JE AS expected, b.JE - g.JE AS difference
FROM BSXM AS b
JOIN (SELECT JGDM, XMDM, SUM(JE) AS JE FROM ZZYE GROUP BY JGDM, XMDM) AS g ON g.JGDM = b.JGDM AND g.XMDM = b.XMDM
WHERE b.JE <> g.JE
