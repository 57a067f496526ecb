-- The staff of the branches in scope, those who left included.
SELECT
    t.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    t.staff_id AS YGBH,
    t.name AS XM,
    t.sex AS XB,
    t.id_type AS ZJLX,
    t.id_no AS ZJHM,
    t.unit_code AS FZJGDM,
    t.department AS BM,
    t.position AS GW,
    t.education AS WHCD,
    t.hired_on AS RZRQ,
    t.left_on AS LZRQ,
    t.status AS YGZT,
    t.mobile AS SJHM,
    t.country AS GJDM,
    CASE t.is_executive WHEN 1 THEN '是' ELSE '否' END AS DJGBZ,
    t.bank_account AS YHZH
FROM staff AS t
LEFT JOIN organisation AS o ON o.org_code = t.org_code
WHERE t.org_code IN :organisations AND t.hired_on <= :date_to
