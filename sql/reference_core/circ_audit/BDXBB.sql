-- Coverages of the policies in scope, and those without any policy: a policy number's first six digits are its branch.
-- Such orphans have no date, so they show in every period until they are mended.
WITH touched AS (
    SELECT policy_no FROM endorsement WHERE effective_on BETWEEN :date_from AND :date_to
    UNION
    SELECT policy_no FROM claim WHERE reported_on BETWEEN :date_from AND :date_to
    UNION
    SELECT policy_no FROM payment WHERE kind = 'claim' AND paid_on BETWEEN :date_from AND :date_to
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
    SELECT c.*, s.org_code FROM coverage AS c JOIN in_scope AS s ON s.policy_no = c.policy_no
    UNION ALL
    SELECT c.*, SUBSTR(c.policy_no, 1, 6) FROM coverage AS c
    WHERE SUBSTR(c.policy_no, 1, 6) IN :organisations AND c.policy_no NOT IN (SELECT policy_no FROM policy)
)
SELECT
    c.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    c.policy_no AS BDH,
    c.seq AS BDXH,
    c.coverage_code AS XBDM,
    c.sum_insured_cents AS XBBE__cents,
    c.premium_cents AS XBBF__cents,
    NULL AS MPE,
    NULL AS MPL,
    NULL AS BJMPBZ
FROM owned AS c
LEFT JOIN organisation AS o ON o.org_code = c.org_code
