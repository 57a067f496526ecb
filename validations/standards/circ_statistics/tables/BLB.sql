-- Ratios of every organisation from its own sums, in percent with two decimals, half away from zero; none where either
-- side is not due or the denominator is zero. Whole hundredths throughout: a float would round twice.
WITH sides AS (
    SELECT n.JGDM, i.XMDM, CAST(n.JE * 100 AS HUGEINT) AS numerator, CAST(d.JE * 100 AS HUGEINT) AS denominator
    FROM XMB AS i
    JOIN HZB AS n ON n.XMDM = i.FZXM
    JOIN HZB AS d ON d.XMDM = i.FMXM AND d.JGDM = n.JGDM
    WHERE n.JE IS NOT NULL AND d.JE <> 0
)
SELECT
    JGDM,
    XMDM,
    CAST(sign(numerator) * sign(denominator) * ((20000 * abs(numerator) + abs(denominator)) // (2 * abs(denominator))) AS DECIMAL(20, 0)) * 0.01 AS BL
FROM sides
