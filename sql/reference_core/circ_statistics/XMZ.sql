-- Leaf items by the organisation they arise at: the sub-branch that wrote the policy, the branch where only that is known
-- (ledger, business without its policy). Flows are of the year to date, counts and reserves as at the period's end.
-- Policyholders do not add up, so they are counted anew at every level.
WITH lines (line, suffix) AS (
    VALUES ('QC', '010000'), ('JC', '020000'), ('JQ', '030100'), ('SY', '030200'), ('ZR', '040000'), ('HY', '050000'), ('YW', '060000')
),
-- One row per policy number, though a policy may have been entered twice.
units AS (
    SELECT policy_no, MIN(org_code) AS org_code, MIN(undertaking_org) AS unit, MIN(line) AS line, MIN(applicant_id) AS applicant_id,
        MIN(signed_on) AS signed_on
    FROM policy WHERE org_code IN :organisations GROUP BY policy_no
),
signed AS (
    SELECT undertaking_org AS unit, line, sum_insured_cents AS insured_cents, premium_net_cents AS net_cents, vat_cents,
        premium_net_cents * COALESCE(commission_rate_bp, 0) / 10000 AS commission_cents
    FROM policy
    WHERE org_code IN :organisations AND signed_on BETWEEN :year_from AND :date_to
),
-- An endorsement without its policy has its branch and line in its own number: PD + branch (6) + line (2).
endorsed AS (
    SELECT COALESCE(u.unit, SUBSTR(e.endorsement_no, 3, 6)) AS unit,
        COALESCE(u.line, SUBSTR(e.endorsement_no, 9, 2)) AS line,
        e.sum_insured_change_cents AS insured_cents,
        e.premium_net_change_cents AS net_cents,
        e.premium_change_cents - e.premium_net_change_cents AS vat_cents,
        e.endorsement_type
    FROM endorsement AS e
    LEFT JOIN units AS u ON u.policy_no = e.policy_no
    WHERE e.effective_on BETWEEN :year_from AND :date_to
        AND (
            u.policy_no IS NOT NULL
            OR (
                SUBSTR(e.endorsement_no, 3, 6) IN :organisations
                AND e.policy_no NOT IN (SELECT policy_no FROM policy)
            )
        )
),
written AS (
    SELECT unit, line, insured_cents, net_cents, vat_cents FROM signed
    UNION ALL
    SELECT unit, line, insured_cents, net_cents, vat_cents FROM endorsed
),
paid AS (
    SELECT COALESCE(u.unit, y.org_code) AS unit, COALESCE(u.line, c.line) AS line, y.amount_cents
    FROM payment AS y
    LEFT JOIN units AS u ON u.policy_no = y.policy_no
    LEFT JOIN (SELECT claim_no, MIN(line) AS line FROM claim GROUP BY claim_no) AS c ON c.claim_no = y.claim_no
    WHERE y.kind = 'claim' AND y.org_code IN :organisations AND y.paid_on BETWEEN :year_from AND :date_to
),
claims AS (
    SELECT COALESCE(u.unit, c.org_code) AS unit,
        CASE WHEN c.reported_on < :year_from AND (c.closed_on IS NULL OR c.closed_on >= :year_from) THEN 100 ELSE 0 END AS opening,
        CASE WHEN c.reported_on BETWEEN :year_from AND :date_to THEN 100 ELSE 0 END AS reported,
        CASE WHEN c.closed_on BETWEEN :year_from AND :date_to THEN 100 ELSE 0 END AS closed,
        CASE WHEN c.reported_on <= :date_to AND (c.closed_on IS NULL OR c.closed_on > :date_to) THEN 100 ELSE 0 END AS closing
    FROM claim AS c
    LEFT JOIN units AS u ON u.policy_no = c.policy_no
    WHERE c.org_code IN :organisations
),
reserves AS (
    SELECT org_code AS unit, account_no, period, opening_credit_cents - opening_debit_cents AS opening_cents,
        debit_cents - credit_cents AS movement_cents, closing_credit_cents - closing_debit_cents AS closing_cents
    FROM gl_balance
    WHERE org_code IN :organisations AND account_no IN ('2602', '6502')
        AND period BETWEEN REPLACE(SUBSTR(:year_from, 1, 7), '-', '') AND :period_to
),
policyholders (unit, applicant_id) AS (
    SELECT unit, applicant_id FROM units WHERE signed_on BETWEEN :year_from AND :date_to
    UNION
    SELECT org_code, applicant_id FROM units WHERE signed_on BETWEEN :year_from AND :date_to
    UNION
    SELECT '000000', applicant_id FROM units WHERE signed_on BETWEEN :year_from AND :date_to
),
-- In hundredths, counts too. A line that no item knows leaves the item empty: a finding, not a loss.
figures (unit, item, hundredths) AS (
    SELECT w.unit, 'BF' || l.suffix, w.net_cents FROM written AS w LEFT JOIN lines AS l ON l.line = w.line
    UNION ALL SELECT unit, 'QD000000', 100 FROM signed
    UNION ALL SELECT unit, 'BE000000', insured_cents FROM written
    UNION ALL SELECT p.unit, 'PK' || l.suffix, p.amount_cents FROM paid AS p LEFT JOIN lines AS l ON l.line = p.line
    UNION ALL SELECT unit, 'WJ010000', opening FROM claims
    UNION ALL SELECT unit, 'WJ020000', reported FROM claims
    UNION ALL SELECT unit, 'WJ030000', closed FROM claims
    UNION ALL SELECT unit, 'WJ040000', closing FROM claims
    UNION ALL SELECT unit, 'ZB010000', opening_cents FROM reserves
        WHERE account_no = '2602' AND period = REPLACE(SUBSTR(:year_from, 1, 7), '-', '')
    UNION ALL SELECT unit, 'ZB020000', movement_cents FROM reserves WHERE account_no = '6502'
    UNION ALL SELECT unit, 'ZB030000', closing_cents FROM reserves WHERE account_no = '2602' AND period = :period_to
    UNION ALL SELECT unit, 'SX000000', commission_cents FROM signed
    UNION ALL SELECT unit, 'ZZ000000', vat_cents FROM written
    UNION ALL SELECT unit, 'TB010000', -net_cents FROM endorsed WHERE endorsement_type = '退保'
    UNION ALL SELECT unit, 'TB020000', -net_cents FROM endorsed WHERE endorsement_type <> '退保' AND net_cents < 0
    UNION ALL SELECT unit, 'KH000000', 100 FROM policyholders
)
SELECT unit AS JGDM, item AS XMDM, SUM(hundredths) AS JE__cents
FROM figures
GROUP BY unit, item
