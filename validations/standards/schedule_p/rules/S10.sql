-- Cumulative paid losses never fall from one lag to the next; one row per lag that is lower than the one before.
SELECT GRCODE, LOB, AccidentYear, DevelopmentLag, CumPaidLoss AS value, before AS expected, CumPaidLoss - before AS difference
FROM (
    SELECT
        GRCODE, LOB, AccidentYear, DevelopmentLag, CumPaidLoss,
        lag(CumPaidLoss) OVER (PARTITION BY GRCODE, LOB, AccidentYear ORDER BY DevelopmentLag) AS before
    FROM TRIANGLE
)
WHERE CumPaidLoss < before
