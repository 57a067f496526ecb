-- The chart of accounts is the head office's: all of it, whatever the scope.
SELECT
    '000000' AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    m.internal_no AS NBKMBH,
    m.internal_name AS NBKMMC,
    m.account_no AS KMBH,
    m.account_name AS KMMC,
    m.direction AS YEFX,
    m.line AS XL,
    m.valid_from AS SXRQ,
    m.valid_to AS TYRQ
FROM account_map AS m
LEFT JOIN organisation AS o ON o.org_code = '000000'
WHERE m.valid_from <= :date_to
