-- Treaties are the head office's: all that began by the period's end, one row per reinsurer.
SELECT
    '000000' AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    t.treaty_no AS ZBHTH,
    s.reinsurer_code AS ZBRDM,
    s.reinsurer_name AS ZBRMC,
    t.name AS ZBHTMC,
    '合约' AS ZBLX,
    t.kind AS FBFS,
    t.line AS XL,
    t.starts_on AS ZBQSRQ,
    t.ends_on AS ZBZZRQ,
    s.share_bp AS FCBL__bp,
    t.retention_cents AS ZLE__cents,
    t.limit_cents AS HTXE__cents,
    t.commission_bp AS FBSXFBL__bp,
    t.currency AS HBDM,
    CASE s.is_lead WHEN 1 THEN '是' ELSE '否' END AS SXBZ
FROM treaty AS t
JOIN treaty_share AS s ON s.treaty_no = t.treaty_no
LEFT JOIN organisation AS o ON o.org_code = '000000'
WHERE t.starts_on <= :date_to
