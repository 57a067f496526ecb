-- Agencies and brokers under contract with the branches in scope, and whoever else their policies name.
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
    t.intermediary_code AS ZJJGBM,
    t.name AS ZJJGMC,
    t.kind AS ZJJGLB,
    t.uscc AS TYSHXYDM,
    t.licence_no AS XKZH,
    t.licence_to AS XKZYXQ,
    t.contract_no AS HTBH,
    t.contract_from AS HZQSRQ,
    t.contract_to AS HZZZRQ,
    t.org_code AS FZJGDM,
    t.commission_cap_bp AS SXFBLSX__bp,
    t.status AS ZT,
    t.bank AS KHYH,
    t.bank_account AS YHZH
FROM intermediary AS t
LEFT JOIN organisation AS o ON o.org_code = t.org_code
WHERE t.org_code IN :organisations
    OR t.intermediary_code IN (SELECT intermediary_code FROM policy WHERE policy_no IN (SELECT policy_no FROM in_scope))
