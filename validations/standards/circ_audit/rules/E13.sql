-- The later policy is blamed. Surrendered and cancelled policies no longer cover the vehicle.
WITH insured AS (
    SELECT DISTINCT v.BDH, v.BDXH, v.CJH, p.XL, p.QBRQ, p.ZBRQ
    FROM CXBDB AS v JOIN BDXXB AS p USING (BDH)
    WHERE v.CJH IS NOT NULL AND p.BDZT NOT IN ('退保', '注销')
),
ordered AS (
    SELECT BDH, BDXH, CJH, QBRQ,
        MAX(ZBRQ) OVER (
            PARTITION BY CJH, XL ORDER BY QBRQ, BDH, BDXH ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS covered_to
    FROM insured
)
SELECT BDH, BDXH, CJH AS value, '> ' || covered_to AS expected
FROM ordered
WHERE QBRQ <= covered_to
