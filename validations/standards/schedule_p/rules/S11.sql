-- Earned premium belongs to the accident year: the same at every lag. One row per accident year, at its first lag that differs.
SELECT GRCODE, LOB, AccidentYear, min(DevelopmentLag) AS DevelopmentLag, arg_min(first_net, DevelopmentLag) AS expected
FROM (
    SELECT
        *,
        first(EarnedPremNet) OVER w AS first_net,
        first(EarnedPremDIR) OVER w AS first_direct,
        first(EarnedPremCeded) OVER w AS first_ceded
    FROM TRIANGLE
    WINDOW w AS (PARTITION BY GRCODE, LOB, AccidentYear ORDER BY DevelopmentLag)
)
WHERE EarnedPremNet <> first_net OR EarnedPremDIR <> first_direct OR EarnedPremCeded <> first_ceded
GROUP BY GRCODE, LOB, AccidentYear
