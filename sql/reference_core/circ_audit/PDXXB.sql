-- All endorsements, up to the period's end, of the policies in scope: the chain of premiums starts at the signing.
-- An endorsement whose policy does not exist has no branch and no line but in its own number, PD + branch (6) + line (2);
-- it is reported by that branch in the period in which it took effect.
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
    SELECT e.*, s.org_code AS branch, s.line AS of_line FROM endorsement AS e JOIN in_scope AS s ON s.policy_no = e.policy_no
    WHERE e.effective_on <= :date_to
    UNION ALL
    SELECT e.*, SUBSTR(e.endorsement_no, 3, 6), SUBSTR(e.endorsement_no, 9, 2) FROM endorsement AS e
    WHERE SUBSTR(e.endorsement_no, 3, 6) IN :organisations
        AND e.effective_on BETWEEN :date_from AND :date_to
        AND e.policy_no NOT IN (SELECT policy_no FROM policy)
)
SELECT
    e.branch AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    e.endorsement_no AS PDH,
    e.policy_no AS BDH,
    e.seq AS PDXH,
    e.of_line AS XL,
    e.endorsement_type AS PGLX,
    e.applied_on AS SQRQ,
    e.effective_on AS PDSXRQ,
    e.premium_change_cents AS BFBHL__cents,
    e.premium_net_change_cents AS BFBHLBHS__cents,
    e.sum_insured_change_cents AS BEBHL__cents,
    e.premium_before_cents AS PGQBF__cents,
    e.premium_after_cents AS PGHBF__cents,
    e.new_starts_on AS PGHQBRQ,
    e.new_ends_on AS PGHZBRQ,
    e.reason AS PGYY,
    CASE WHEN e.endorsement_type = '退保' THEN -e.premium_change_cents END AS TBJE__cents
FROM owned AS e
LEFT JOIN organisation AS o ON o.org_code = e.branch
