-- Rows of the policies in scope, and those without any policy: a policy number begins with its branch and line. Such orphans
-- have no date, so they show in every period until they are mended.
-- An instalment is paid by the payment of its planned fee, where that came by the period's end.
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
    SELECT t.*, s.org_code AS branch, s.line AS of_line FROM instalment AS t JOIN in_scope AS s ON s.policy_no = t.policy_no
    UNION ALL
    SELECT t.*, SUBSTR(t.policy_no, 1, 6), SUBSTR(t.policy_no, 7, 2) FROM instalment AS t
    WHERE SUBSTR(t.policy_no, 1, 6) IN :organisations AND t.policy_no NOT IN (SELECT policy_no FROM policy)
),
paid AS (
    SELECT f.policy_no, f.seq, SUM(y.amount_cents) AS amount_cents, MAX(y.paid_on) AS paid_on
    FROM planned_fee AS f
    JOIN payment AS y ON y.fee_no = f.fee_no
    WHERE f.kind = 'P' AND y.paid_on <= :date_to
    GROUP BY f.policy_no, f.seq
)
SELECT
    t.branch AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    t.policy_no AS BDH,
    t.seq AS FQXH,
    t.due_on AS YJRQ,
    t.amount_cents AS YJJE__cents,
    y.paid_on AS SJRQ,
    COALESCE(y.amount_cents, 0) AS SJJE__cents,
    CASE WHEN y.paid_on IS NULL THEN '未缴' ELSE '已缴' END AS JFZT
FROM owned AS t
LEFT JOIN paid AS y ON y.policy_no = t.policy_no AND y.seq = t.seq
LEFT JOIN organisation AS o ON o.org_code = t.branch
