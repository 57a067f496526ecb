WITH shares AS (
    SELECT BDH, SUM(GBBL) AS share FROM GBXXB GROUP BY BDH
)
SELECT p.BDH, COALESCE(s.share, 0) AS value, 1 AS expected, COALESCE(s.share, 0) - 1 AS difference
FROM BDXXB AS p LEFT JOIN shares AS s USING (BDH)
WHERE p.GBBZ = '是' AND COALESCE(s.share, 0) <> 1
