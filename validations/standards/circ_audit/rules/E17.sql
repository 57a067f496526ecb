-- Shares have four decimals: half a unit of the last one for each share and for the whole.
WITH shares AS (
    SELECT BDH, SUM(GBBL) AS share, COUNT(*) AS parts FROM GBXXB GROUP BY BDH
)
SELECT p.BDH, COALESCE(s.share, 0) AS value, 1 AS expected, COALESCE(s.share, 0) - 1 AS difference
FROM BDXXB AS p LEFT JOIN shares AS s USING (BDH)
WHERE p.GBBZ = '是' AND ABS(COALESCE(s.share, 0) - 1) > 0.00005 * (COALESCE(s.parts, 0) + 1)
