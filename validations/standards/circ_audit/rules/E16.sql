-- Shares have four decimals: half a unit of the last one for each share and for the whole.
SELECT ZBHTH, MIN(ZBRDM) AS ZBRDM, ANY_VALUE(BXJGDM) AS organisation, SUM(FCBL) AS value, 1 AS expected, SUM(FCBL) - 1 AS difference
FROM ZBHTXXB
GROUP BY ZBHTH
HAVING SUM(FCBL) - 1 > 0.00005 * (COUNT(*) + 1)
