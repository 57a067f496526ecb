-- The sellers of the branches in scope, those who left included, and whoever else their policies name.
WITH touched AS (
    SELECT policy_no FROM endorsement WHERE effective_on BETWEEN :date_from AND :date_to
    UNION
    SELECT policy_no FROM claim WHERE reported_on BETWEEN :date_from AND :date_to
    UNION
    SELECT policy_no FROM payment WHERE policy_no IS NOT NULL AND paid_on BETWEEN :date_from AND :date_to
    UNION
    SELECT c.policy_no FROM claim_expense AS x JOIN claim AS c ON c.claim_no = x.claim_no
    WHERE x.paid_on BETWEEN :date_from AND :date_to
),
-- One row per number, though a policy may have been entered twice.
in_scope AS (
    SELECT policy_no, MIN(org_code) AS org_code, MIN(line) AS line
    FROM policy
    WHERE org_code IN :organisations
        AND (signed_on BETWEEN :date_from AND :date_to OR policy_no IN (SELECT policy_no FROM touched))
    GROUP BY policy_no
)
SELECT
    t.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    t.seller_code AS XSRYBH,
    t.name AS XM,
    t.sex AS XB,
    t.id_type AS ZJLX,
    t.id_no AS ZJHM,
    t.unit_code AS FZJGDM,
    t.kind AS RYLB,
    t.certificate_no AS ZYZH,
    t.certificate_to AS ZYZYXQ,
    t.education AS WHCD,
    t.hired_on AS RZRQ,
    t.left_on AS LZRQ,
    t.status AS RYZT,
    t.mobile AS SJHM,
    t.country AS GJDM,
    NULL AS ZJJGBM,
    t.bank_account AS YHZH
FROM seller AS t
LEFT JOIN organisation AS o ON o.org_code = t.org_code
WHERE t.org_code IN :organisations
    OR t.seller_code IN (SELECT seller_code FROM policy WHERE policy_no IN (SELECT policy_no FROM in_scope))
