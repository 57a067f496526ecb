-- Ten accident years, each developed up to 1997: 55 cells per filer and line. One row per incomplete triangle, at its first
-- missing cell.
WITH due AS (
    SELECT accident.year AS AccidentYear, development.year - accident.year + 1 AS DevelopmentLag
    FROM range(1988, 1998) AS accident(year)
    JOIN range(1988, 1998) AS development(year) ON development.year >= accident.year
),
filer AS (
    SELECT DISTINCT GRCODE, LOB FROM TRIANGLE
),
missing AS (
    SELECT filer.GRCODE, filer.LOB, due.AccidentYear, due.DevelopmentLag
    FROM filer CROSS JOIN due
    ANTI JOIN TRIANGLE AS t
        ON t.GRCODE = filer.GRCODE AND t.LOB = filer.LOB
        AND t.AccidentYear = due.AccidentYear AND t.DevelopmentLag = due.DevelopmentLag
)
SELECT
    GRCODE, LOB,
    min(AccidentYear) AS AccidentYear,
    arg_min(DevelopmentLag, AccidentYear * 100 + DevelopmentLag) AS DevelopmentLag,
    55 - count(*) AS value, 55 AS expected, -count(*) AS difference, GRCODE AS organisation
FROM missing
GROUP BY GRCODE, LOB
