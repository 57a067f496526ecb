-- One line of business, all filers: the report's name is the line.
SELECT
    grcode AS GRCODE,
    grname AS GRNAME,
    accident_year AS AccidentYear,
    development_year AS DevelopmentYear,
    development_lag AS DevelopmentLag,
    incur_loss AS IncurLoss,
    cum_paid_loss AS CumPaidLoss,
    bulk_loss AS BulkLoss,
    earned_prem_dir AS EarnedPremDIR,
    earned_prem_ceded AS EarnedPremCeded,
    earned_prem_net AS EarnedPremNet,
    single AS Single,
    posted_reserve_97 AS PostedReserve97,
    lob AS LOB
FROM triangle
WHERE lob = :report
