-- The first line of the voucher stands for all of it.
SELECT FZJGDM, PZH, MIN(FLH) AS FLH, SUM(JFJE) AS value, SUM(DFJE) AS expected, SUM(JFJE) - SUM(DFJE) AS difference
FROM CWPZXXB
GROUP BY FZJGDM, PZH, HBDM
HAVING SUM(JFJE) <> SUM(DFJE)
