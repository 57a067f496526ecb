-- Rows of the policies in scope, and those without any policy: a policy number begins with its branch and line. Such orphans
-- have no date, so they show in every period until they are mended.
-- What was paid after the period's end is not paid yet.
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
    SELECT t.*, s.org_code AS branch, s.line AS of_line FROM commission AS t JOIN in_scope AS s ON s.policy_no = t.policy_no WHERE t.accrued_on <= :date_to
    UNION ALL
    SELECT t.*, SUBSTR(t.policy_no, 1, 6), SUBSTR(t.policy_no, 7, 2) FROM commission AS t
    WHERE SUBSTR(t.policy_no, 1, 6) IN :organisations AND t.policy_no NOT IN (SELECT policy_no FROM policy) AND t.accrued_on <= :date_to
)
SELECT
    t.branch AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    t.policy_no AS BDH,
    t.seq AS SXFXH,
    t.endorsement_no AS PDH,
    t.line AS XL,
    t.intermediary_code AS ZJJGBM,
    t.seller_code AS XSRYBH,
    t.base_cents AS JSJC__cents,
    t.rate_bp AS SXFBL__bp,
    t.payable_cents AS YFSXF__cents,
    CASE WHEN t.paid_on <= :date_to THEN t.paid_cents ELSE 0 END AS SFSXF__cents,
    'CNY' AS HBDM,
    t.accrued_on AS JTRQ,
    CASE WHEN t.paid_on <= :date_to THEN t.paid_on END AS ZFRQ,
    t.voucher_no AS PZH
FROM owned AS t
LEFT JOIN organisation AS o ON o.org_code = t.branch
