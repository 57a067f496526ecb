-- Claims of the policies in scope as they stood at the period's end: what was registered, closed or paid later is taken
-- back, so that the settled amount is what PKZFB lists. A claim that was open then has its estimate outstanding, less what had
-- been paid. A claim whose policy does not exist is its branch's, in the period of its report or payment.
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
paid AS (
    SELECT claim_no,
        SUM(CASE WHEN paid_on > :date_to THEN amount_cents ELSE 0 END) AS later_cents,
        MAX(CASE WHEN paid_on <= :date_to THEN paid_on END) AS last_paid_on
    FROM payment
    WHERE kind = 'claim' AND claim_no IS NOT NULL
    GROUP BY claim_no
),
spent AS (
    SELECT claim_no, SUM(amount_cents) AS later_cents FROM claim_expense WHERE paid_on > :date_to GROUP BY claim_no
)
SELECT
    c.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    c.claim_no AS PAH,
    c.report_no AS BAH,
    CASE WHEN c.registered_on <= :date_to THEN c.register_no END AS LAH,
    c.policy_no AS BDH,
    c.product_code AS XZDM,
    c.occurred_on AS CXRQ,
    c.reported_on AS BARQ,
    CASE WHEN c.registered_on <= :date_to THEN c.registered_on END AS LARQ,
    CASE WHEN c.closed_on <= :date_to THEN c.closed_on END AS JARQ,
    c.cause AS CXYY,
    c.place AS CXDQ,
    c.region_code AS CXXZQH,
    c.liability_bp AS ZRBL__bp,
    c.loss_cents AS GSJE__cents,
    CASE
        WHEN c.registered_on > :date_to THEN 0
        WHEN c.closed_on > :date_to THEN c.estimate_cents - c.settled_cents + COALESCE(y.later_cents, 0)
        ELSE c.reserve_cents + COALESCE(y.later_cents, 0)
    END AS WJPK__cents,
    c.settled_cents - COALESCE(y.later_cents, 0) AS YJPK__cents,
    c.expense_cents - COALESCE(x.later_cents, 0) AS ZJLPFY__cents,
    CASE WHEN c.registered_on > :date_to THEN '已报案' WHEN c.closed_on > :date_to THEN '已立案' ELSE c.status END AS PAZT,
    CASE WHEN c.closed_on IS NULL OR c.closed_on <= :date_to THEN c.close_type END AS JALX,
    CASE c.is_litigated WHEN 1 THEN '是' ELSE '否' END AS SSBZ,
    c.recourse_cents AS ZCJE__cents,
    c.salvage_cents AS CHJZ__cents,
    c.plate_no AS CPH
FROM claim AS c
LEFT JOIN paid AS y ON y.claim_no = c.claim_no
LEFT JOIN spent AS x ON x.claim_no = c.claim_no
LEFT JOIN organisation AS o ON o.org_code = c.org_code
WHERE (c.reported_on <= :date_to OR y.last_paid_on IS NOT NULL)
    AND (
        c.policy_no IN (SELECT policy_no FROM in_scope)
        OR (
            c.org_code IN :organisations
            AND c.policy_no NOT IN (SELECT policy_no FROM policy)
            AND (c.reported_on >= :date_from OR y.last_paid_on >= :date_from)
        )
    )
