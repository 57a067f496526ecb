-- Customers kept by the branches in scope, and whoever else their policies name.
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
),
named AS (
    SELECT applicant_id AS customer_id FROM policy WHERE policy_no IN (SELECT policy_no FROM in_scope)
    UNION
    SELECT insured_id FROM policy WHERE policy_no IN (SELECT policy_no FROM in_scope)
)
SELECT
    c.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    c.customer_id AS KHBH,
    c.customer_type AS KHLX,
    c.name AS KHMC,
    c.id_type AS ZJLX,
    c.id_no AS ZJHM,
    c.id_valid_to AS ZJYXQ,
    c.sex AS XB,
    c.born_on AS CSRQ,
    c.country AS GJDM,
    c.occupation AS ZYDM,
    c.industry AS HYDM,
    c.address AS DZ,
    c.region_code AS XZQHDM,
    c.mobile AS SJHM,
    c.email AS YX,
    c.legal_person AS FDDBR,
    c.aml_risk AS FXQDJ,
    CASE c.is_related WHEN 1 THEN '是' ELSE '否' END AS GLFBZ
FROM customer AS c
LEFT JOIN organisation AS o ON o.org_code = c.org_code
WHERE c.org_code IN :organisations OR c.customer_id IN (SELECT customer_id FROM named)
