-- What was due by the period's end for the policies in scope, and the commission statements of the branches due in the
-- period; received or paid where that came by the period's end. Premiums (P, E) are received, refunds of them paid; claims (C)
-- and commission are paid, what comes back of them received. Amounts are positive on their side.
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
    SELECT f.*, s.org_code AS branch, s.line AS of_line FROM planned_fee AS f JOIN in_scope AS s ON s.policy_no = f.policy_no
    WHERE f.due_on <= :date_to
    UNION ALL
    SELECT f.*, f.org_code, NULL FROM planned_fee AS f
    WHERE f.kind = 'F' AND f.org_code IN :organisations AND f.due_on BETWEEN :date_from AND :date_to
    UNION ALL
    SELECT f.*, f.org_code, SUBSTR(f.policy_no, 7, 2) FROM planned_fee AS f
    WHERE f.org_code IN :organisations AND f.due_on BETWEEN :date_from AND :date_to
        AND f.policy_no NOT IN (SELECT policy_no FROM policy)
)
SELECT
    t.branch AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    t.fee_no AS SFH,
    CASE t.kind WHEN 'F' THEN '手续费' ELSE t.kind END AS YWLX,
    CASE WHEN (t.kind IN ('P', 'E') AND t.amount_cents >= 0) OR (t.kind IN ('C', 'F') AND t.amount_cents < 0) THEN '收' ELSE '付' END AS SFBZ,
    t.business_no AS YWH,
    t.policy_no AS BDH,
    CASE t.kind WHEN 'P' THEN t.seq END AS FQXH,
    t.of_line AS XL,
    t.due_on AS YSRQ,
    ABS(t.amount_cents) AS YSJE__cents,
    y.paid_on AS SSRQ,
    COALESCE(ABS(y.amount_cents), 0) AS SSJE__cents,
    t.currency AS HBDM,
    COALESCE(y.counterparty_name, t.party_name) AS DFMC,
    y.counterparty_account AS DFZH,
    y.bank AS DFKHYH,
    y.method AS JSFS,
    y.voucher_no AS PZH
FROM owned AS t
LEFT JOIN payment AS y ON y.fee_no = t.fee_no AND y.paid_on <= :date_to
LEFT JOIN organisation AS o ON o.org_code = t.branch
