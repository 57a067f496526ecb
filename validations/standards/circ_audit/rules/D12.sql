-- The lower of the two caps counts: the one filed with the product and the one agreed with the intermediary.
WITH owed AS (
    SELECT f.BDH, f.SXFXH, f.SXFBL, f.ZJJGBM, p.XZDM FROM SXFMXB AS f JOIN BDXXB AS p USING (BDH)
),
capped AS (
    SELECT DISTINCT o.BDH, o.SXFXH, o.SXFBL, LEAST(x.SXFBLSX, z.SXFBLSX) AS cap
    FROM owed AS o
    LEFT JOIN XZDYB AS x USING (XZDM)
    LEFT JOIN ZJJGXXB AS z USING (ZJJGBM)
)
SELECT BDH, SXFXH, SXFBL AS value, cap AS expected, SXFBL - cap AS difference
FROM capped
WHERE SXFBL > cap
