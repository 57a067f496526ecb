-- Policies in scope: kept by a branch in scope, and signed in the period or touched in it by an endorsement, a reported
-- claim, or money received or paid. The same two CTEs stand in every file that needs them.
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
    p.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    p.policy_no AS BDH,
    p.proposal_no AS TBDH,
    p.product_code AS XZDM,
    p.line AS XL,
    p.org_code AS GLJGDM,
    p.undertaking_org AS CDJGDM,
    p.applicant_id AS TBRKHBH,
    p.insured_id AS BBXRKHBH,
    p.applicant_name AS TBRMC,
    p.insured_name AS BBXRMC,
    p.signed_on AS QDRQ,
    p.underwritten_on AS HBRQ,
    CASE p.is_backdated WHEN 1 THEN '是' ELSE '否' END AS DQDBZ,
    p.starts_on AS QBRQ,
    p.ends_on AS ZBRQ,
    p.currency AS HBDM,
    p.sum_insured_cents AS BE__cents,
    p.premium_cents AS BF__cents,
    p.premium_net_cents AS BFBHS__cents,
    p.vat_cents AS ZZS__cents,
    p.vehicle_tax_cents AS CCS__cents,
    p.channel AS XSQD,
    p.intermediary_code AS ZJJGBM,
    p.seller_code AS XSRYBH,
    p.commission_rate_bp AS SXFBL__bp,
    p.payment_mode AS JFFS,
    p.instalments AS FQCS,
    CASE p.coinsurance WHEN '否' THEN '否' ELSE '是' END AS GBBZ,
    CASE p.is_reinsured WHEN 1 THEN '是' ELSE '否' END AS ZBBZ,
    CASE WHEN p.channel = '网销' THEN '是' ELSE '否' END AS HLWBZ,
    p.previous_policy_no AS XBBDH,
    p.status AS BDZT,
    p.endorsement_count AS PGCS,
    p.source_of_business AS YWLY
FROM policy AS p
LEFT JOIN organisation AS o ON o.org_code = p.org_code
WHERE p.policy_no IN (SELECT policy_no FROM in_scope)
