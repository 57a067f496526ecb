-- 1900-01-01 is no date: the product has not ceased.
WITH products AS (
    SELECT XZDM, SXRQ, NULLIF(TSRQ, DATE '1900-01-01') AS TSRQ FROM XZDYB
)
SELECT DISTINCT p.BDH, p.QDRQ AS value, x.SXRQ || '–' || COALESCE(CAST(x.TSRQ AS VARCHAR), '') AS expected
FROM BDXXB AS p JOIN products AS x USING (XZDM)
WHERE p.QDRQ < x.SXRQ OR p.QDRQ > x.TSRQ
