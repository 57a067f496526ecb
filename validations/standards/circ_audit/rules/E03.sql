-- Every endorsement of a policy must lead from the premium as signed, over all changes up to it, to the premium after it.
-- Where an earlier number of the chain is missing while an earlier endorsement of the branch stands without its policy (E02)
-- and its change is just what is wanting, the later ones only follow from it.
WITH policies AS (
    SELECT BDH, MIN(BF) AS BF FROM BDXXB GROUP BY BDH HAVING COUNT(DISTINCT BF) = 1
),
endorsements AS (  -- a number entered twice (A02) changes the premium once
    SELECT PDH, ANY_VALUE(BXJGDM) AS BXJGDM, ANY_VALUE(BDH) AS BDH, ANY_VALUE(PDXH) AS PDXH,
        ANY_VALUE(BFBHL) AS BFBHL, ANY_VALUE(PGHBF) AS PGHBF
    FROM PDXXB GROUP BY PDH
),
chains AS (
    SELECT e.PDH, e.BXJGDM, e.PDXH, e.PGHBF,
        p.BF + SUM(e.BFBHL) OVER chain AS expected,
        COUNT(*) OVER chain AS counted,
        COUNT(e.BFBHL) OVER chain AS known
    FROM endorsements AS e JOIN policies AS p USING (BDH)
    WINDOW chain AS (PARTITION BY e.BDH ORDER BY e.PDXH RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
orphans AS (
    SELECT e.BXJGDM, e.BFBHL, MIN(e.PDXH) AS PDXH FROM endorsements AS e ANTI JOIN BDXXB USING (BDH) GROUP BY e.BXJGDM, e.BFBHL
)
SELECT c.PDH, c.PGHBF AS value, c.expected, c.PGHBF - c.expected AS difference
FROM chains AS c LEFT JOIN orphans AS o ON o.BXJGDM = c.BXJGDM AND o.BFBHL = c.PGHBF - c.expected
WHERE c.PGHBF <> c.expected
    AND c.known = c.counted
    AND NOT (c.counted < c.PDXH AND COALESCE(o.PDXH, c.PDXH) < c.PDXH)
