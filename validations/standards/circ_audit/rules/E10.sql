-- Until when the intermediary may sell is the earlier of its licence and its contract; 1900-01-01 is no date.
WITH intermediaries AS (
    SELECT ZJJGBM, HZQSRQ, LEAST(NULLIF(XKZYXQ, DATE '1900-01-01'), NULLIF(HZZZRQ, DATE '1900-01-01')) AS until FROM ZJJGXXB
),
sellers AS (
    SELECT XSRYBH, NULLIF(ZYZYXQ, DATE '1900-01-01') AS until FROM XSRYXXB
)
SELECT DISTINCT p.BDH, 'ZJJGBM' AS field, p.QDRQ AS value, z.HZQSRQ || '–' || z.until AS expected
FROM BDXXB AS p JOIN intermediaries AS z USING (ZJJGBM)
WHERE p.QDRQ < z.HZQSRQ OR p.QDRQ > z.until
UNION ALL
SELECT DISTINCT p.BDH, 'XSRYBH', p.QDRQ, '≤ ' || s.until
FROM BDXXB AS p JOIN sellers AS s USING (XSRYBH)
WHERE p.QDRQ > s.until
