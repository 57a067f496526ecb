-- Rows of the policies in scope, and those without any policy: a policy number begins with its branch and line. Such orphans
-- have no date, so they show in every period until they are mended.
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
owned AS (
    SELECT t.*, s.org_code AS branch, s.line AS of_line FROM coinsurance AS t JOIN in_scope AS s ON s.policy_no = t.policy_no
    UNION ALL
    SELECT t.*, SUBSTR(t.policy_no, 1, 6), SUBSTR(t.policy_no, 7, 2) FROM coinsurance AS t
    WHERE SUBSTR(t.policy_no, 1, 6) IN :organisations AND t.policy_no NOT IN (SELECT policy_no FROM policy)
)
SELECT
    t.branch AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    t.policy_no AS BDH,
    t.participant_code AS GBRDM,
    t.participant_name AS GBRMC,
    CASE t.is_lead WHEN 1 THEN '主共' ELSE '从共' END AS GBLX,
    CASE t.is_own WHEN 1 THEN '是' ELSE '否' END AS BGSBZ,
    t.share_bp AS GBBL__bp,
    t.sum_insured_cents AS GBBE__cents,
    t.premium_cents AS GBBF__cents
FROM owned AS t
LEFT JOIN organisation AS o ON o.org_code = t.branch
