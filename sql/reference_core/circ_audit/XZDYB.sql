-- Products are the head office's: all of them, whatever the scope.
SELECT
    '000000' AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    p.product_code AS XZDM,
    p.name AS XZMC,
    p.line AS XL,
    p.clause_code AS TKDM,
    p.filing_no AS BABH,
    p.effective_on AS SXRQ,
    p.ceased_on AS TSRQ,
    CASE p.is_main WHEN 1 THEN '主险' ELSE '附加险' END AS ZFXBZ,
    CASE p.is_compulsory WHEN 1 THEN '是' ELSE '否' END AS JQBZ,
    CASE p.line WHEN 'NY' THEN '是' ELSE '否' END AS NXBZ,
    p.design_type AS ZGTJXZ,
    p.commission_cap_bp AS SXFBLSX__bp
FROM product AS p
LEFT JOIN organisation AS o ON o.org_code = '000000'
WHERE p.effective_on <= :date_to
