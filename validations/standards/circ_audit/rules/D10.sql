-- Agencies and brokers of the channel's own kind; no intermediary at all for the other channels.
WITH kinds AS (
    SELECT p.BDH, p.ZJJGBM, ANY_VALUE(z.ZJJGLB) AS found,
        ANY_VALUE(CASE p.XSQD WHEN '专代' THEN '专业代理' WHEN '兼代' THEN '兼业代理' WHEN '经纪' THEN '经纪' ELSE '—' END) AS wanted
    FROM BDXXB AS p LEFT JOIN ZJJGXXB AS z USING (ZJJGBM)
    WHERE p.ZJJGBM IS NOT NULL
    GROUP BY p.BDH, p.ZJJGBM
)
SELECT BDH, COALESCE(found, ZJJGBM) AS value, wanted AS expected
FROM kinds
WHERE COALESCE(found, wanted) <> wanted OR (found IS NULL AND wanted = '—')
