-- Claim payments up to the period's end: of the claims that PAXXB lists, and those of the period that no claim owns.
-- The line is the policy's, so that the sum by line does not hang on the claim.
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
lines AS (
    SELECT policy_no, MIN(line) AS line FROM policy WHERE org_code IN :organisations GROUP BY policy_no
),
paid AS (
    SELECT claim_no, MAX(paid_on) AS last_paid_on
    FROM payment
    WHERE kind = 'claim' AND claim_no IS NOT NULL AND paid_on <= :date_to
    GROUP BY claim_no
),
claims AS (
    SELECT c.claim_no, MIN(c.line) AS line, MIN(c.policy_no) AS policy_no,
        -- Whether PAXXB lists it: its policy is in scope, or does not exist while the claim is alive in the period.
        MAX(CASE WHEN c.policy_no IN (SELECT policy_no FROM in_scope) THEN 1
            WHEN c.org_code IN :organisations AND c.policy_no NOT IN (SELECT policy_no FROM policy)
                AND (c.reported_on >= :date_from OR y.last_paid_on >= :date_from) THEN 1
            ELSE 0 END) AS is_listed
    FROM claim AS c
    LEFT JOIN paid AS y ON y.claim_no = c.claim_no
    GROUP BY c.claim_no
)
SELECT
    y.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    y.claim_no AS PAH,
    y.calculation_no AS JSSH,
    y.seq AS ZFXH,
    COALESCE(l.line, c.line) AS XL,
    y.coverage_code AS XBDM,
    y.amount_cents AS PKJE__cents,
    y.currency AS HBDM,
    y.counterparty_name AS SKRMC,
    y.counterparty_id_no AS SKRZJHM,
    y.counterparty_account AS SKRYHZH,
    y.bank AS KHYH,
    y.paid_on AS ZFRQ,
    y.method AS ZFFS,
    y.relation AS LKRGX,
    y.voucher_no AS PZH,
    CASE y.is_advance WHEN 1 THEN '是' ELSE '否' END AS YFBZ
FROM payment AS y
LEFT JOIN claims AS c ON c.claim_no = y.claim_no
LEFT JOIN lines AS l ON l.policy_no = y.policy_no
LEFT JOIN organisation AS o ON o.org_code = y.org_code
WHERE y.kind = 'claim'
    AND y.paid_on <= :date_to
    AND (
        c.is_listed = 1
        OR (y.org_code IN :organisations AND y.paid_on >= :date_from)
    )
