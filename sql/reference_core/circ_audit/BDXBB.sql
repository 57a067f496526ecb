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
    SELECT t.*, s.org_code AS branch, s.line AS of_line FROM coverage AS t JOIN in_scope AS s ON s.policy_no = t.policy_no
    UNION ALL
    SELECT t.*, SUBSTR(t.policy_no, 1, 6), SUBSTR(t.policy_no, 7, 2) FROM coverage AS t
    WHERE SUBSTR(t.policy_no, 1, 6) IN :organisations AND t.policy_no NOT IN (SELECT policy_no FROM policy)
)
SELECT
    t.branch AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    t.policy_no AS BDH,
    t.item_seq AS BDXH,
    t.coverage_code AS XBDM,
    t.sum_insured_cents AS XBBE__cents,
    t.premium_cents AS XBBF__cents,
    t.deductible_cents AS MPE__cents,
    t.deductible_bp AS MPL__bp,
    CASE t.no_deductible WHEN 1 THEN '是' ELSE '否' END AS BJMPBZ
FROM owned AS t
LEFT JOIN organisation AS o ON o.org_code = t.branch
