-- Leaf items by the organisation they arise at: the sub-branch that wrote the policy, the branch where only that is known
-- (ledger, reinsurance, business without its policy). Flows are of the year to date, counts and reserves as at the
-- period's end. Policyholders do not add up, so they are counted anew at every level.
WITH lines (line, suffix) AS (
    VALUES ('QC', '010000'), ('JC', '020000'), ('JQ', '030100'), ('SY', '030200'), ('ZR', '040000'), ('HY', '050000'), ('YW', '060000'),
        ('GC', '070000'), ('XY', '080000'), ('BZ', '090000'), ('CB', '100000'), ('TF', '110000'), ('NY', '120000'), ('JK', '130000'), ('QT', '190000')
),
channels (channel, code) AS (
    VALUES ('直销', '01'), ('个代', '02'), ('专代', '03'), ('兼代', '04'), ('经纪', '05'), ('电销', '06'), ('网销', '07')
),
-- One row per policy number, though a policy may have been entered twice.
units AS (
    SELECT policy_no, MIN(org_code) AS org_code, MIN(undertaking_org) AS unit, MIN(line) AS line, MIN(channel) AS channel,
        MIN(applicant_id) AS applicant_id, MIN(signed_on) AS signed_on, MIN(starts_on) AS starts_on, MAX(ends_on) AS ends_on, MIN(status) AS status
    FROM policy WHERE org_code IN :organisations GROUP BY policy_no
),
signed AS (
    SELECT undertaking_org AS unit, line, channel, sum_insured_cents AS insured_cents, premium_net_cents AS net_cents, vat_cents
    FROM policy
    WHERE org_code IN :organisations AND signed_on BETWEEN :year_from AND :date_to
),
-- An endorsement without its policy has its branch and line in its own number, PD + branch (6) + line (2), and no channel:
-- it counts as direct business.
endorsed AS (
    SELECT COALESCE(u.unit, SUBSTR(e.endorsement_no, 3, 6)) AS unit,
        COALESCE(u.line, SUBSTR(e.endorsement_no, 9, 2)) AS line,
        COALESCE(u.channel, '直销') AS channel,
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
    SELECT unit, line, channel, insured_cents, net_cents, vat_cents FROM signed
    UNION ALL
    SELECT unit, line, channel, insured_cents, net_cents, vat_cents FROM endorsed
),
in_force AS (
    SELECT unit, line FROM units
    WHERE starts_on <= :date_to AND ends_on >= :date_to AND status <> '注销'
        AND policy_no NOT IN (SELECT policy_no FROM endorsement WHERE endorsement_type = '退保' AND effective_on <= :date_to)
),
claim_lines AS (
    SELECT claim_no, MIN(policy_no) AS policy_no, MIN(line) AS line FROM claim GROUP BY claim_no
),
paid AS (
    SELECT COALESCE(u.unit, y.org_code) AS unit, COALESCE(u.line, c.line) AS line, y.amount_cents
    FROM payment AS y
    LEFT JOIN units AS u ON u.policy_no = y.policy_no
    LEFT JOIN claim_lines AS c ON c.claim_no = y.claim_no
    WHERE y.kind = 'claim' AND y.org_code IN :organisations AND y.paid_on BETWEEN :year_from AND :date_to
),
-- A claim's expense without its claim has no line: it counts among the other lines.
expenses AS (
    SELECT COALESCE(u.unit, x.org_code) AS unit, COALESCE(u.line, c.line, 'QT') AS line, x.amount_cents
    FROM claim_expense AS x
    LEFT JOIN claim_lines AS c ON c.claim_no = x.claim_no
    LEFT JOIN units AS u ON u.policy_no = c.policy_no
    WHERE x.org_code IN :organisations AND x.paid_on BETWEEN :year_from AND :date_to
),
claims AS (
    SELECT COALESCE(u.unit, c.org_code) AS unit, COALESCE(u.line, c.line) AS line,
        CASE WHEN c.reported_on < :year_from AND (c.closed_on IS NULL OR c.closed_on >= :year_from) THEN 100 ELSE 0 END AS opening,
        CASE WHEN c.reported_on BETWEEN :year_from AND :date_to THEN 100 ELSE 0 END AS reported,
        CASE WHEN c.closed_on BETWEEN :year_from AND :date_to THEN 100 ELSE 0 END AS closed,
        CASE WHEN c.reported_on <= :date_to AND (c.closed_on IS NULL OR c.closed_on > :date_to) THEN 100 ELSE 0 END AS closing,
        CASE WHEN c.closed_on BETWEEN :year_from AND :date_to THEN c.recourse_cents ELSE 0 END AS recourse_cents
    FROM claim AS c
    LEFT JOIN units AS u ON u.policy_no = c.policy_no
    WHERE c.org_code IN :organisations
),
commissions AS (
    SELECT COALESCE(u.unit, m.org_code) AS unit, m.line, COALESCE(u.channel, '直销') AS channel, m.payable_cents
    FROM commission AS m
    LEFT JOIN units AS u ON u.policy_no = m.policy_no
    WHERE m.org_code IN :organisations AND m.accrued_on BETWEEN :year_from AND :date_to
),
ceded AS (
    SELECT org_code AS unit, line, premium_cents, recovered_cents, commission_cents
    FROM ceded_bill
    WHERE org_code IN :organisations AND billed_on BETWEEN :year_from AND :date_to
),
-- Leaf accounts of the year: net debits at its beginning (the first month that the ledger has), in it, and at the period's
-- end. Reserves carry the line at the end of the account: 2601xx, 6501xx, 6502xx, 260201xx.
ledger AS (
    SELECT g.org_code AS unit, g.account_no, SUBSTR(g.account_no, 1, 1) AS class, SUBSTR(g.account_no, 1, 4) AS account, SUBSTR(g.account_no, 1, 6) AS part,
        CASE
            WHEN SUBSTR(g.account_no, 1, 4) = '2602' THEN SUBSTR(g.account_no, 7, 2)
            WHEN SUBSTR(g.account_no, 1, 4) IN ('2601', '6501', '6502') THEN SUBSTR(g.account_no, 5, 2)
        END AS line,
        CASE WHEN g.period = (SELECT MIN(period) FROM gl_balance WHERE period >= SUBSTR(:period_to, 1, 4) || '01')
            THEN g.opening_debit_cents - g.opening_credit_cents ELSE 0 END AS opening_cents,
        g.debit_cents - g.credit_cents AS movement_cents,
        CASE WHEN g.period = :period_to THEN g.closing_debit_cents - g.closing_credit_cents ELSE 0 END AS closing_cents
    FROM gl_balance AS g
    JOIN gl_account AS a ON a.account_no = g.account_no AND a.is_leaf = 1
    WHERE g.org_code IN :organisations
        AND g.period BETWEEN SUBSTR(:period_to, 1, 4) || '01' AND :period_to
),
customers AS (
    SELECT customer_id, MIN(customer_type) AS customer_type FROM customer GROUP BY customer_id
),
policyholders (unit, applicant_id) AS (
    SELECT unit, applicant_id FROM units WHERE signed_on BETWEEN :year_from AND :date_to
    UNION
    SELECT org_code, applicant_id FROM units WHERE signed_on BETWEEN :year_from AND :date_to
    UNION
    SELECT '000000', applicant_id FROM units WHERE signed_on BETWEEN :year_from AND :date_to
),
-- By indicator and line; in hundredths, counts too. A line that no item knows leaves the item empty: a finding, not a loss.
by_line (unit, indicator, line, hundredths) AS (
    SELECT unit, 'BF', line, net_cents FROM written
    UNION ALL SELECT unit, 'BE', line, insured_cents FROM written
    UNION ALL SELECT unit, 'QD', line, 100 FROM signed
    UNION ALL SELECT unit, 'YX', line, 100 FROM in_force
    UNION ALL SELECT unit, 'PK', line, amount_cents FROM paid
    UNION ALL SELECT unit, 'LP', line, amount_cents FROM expenses
    UNION ALL SELECT unit, 'NJ', line, opening FROM claims
    UNION ALL SELECT unit, 'BJ', line, reported FROM claims
    UNION ALL SELECT unit, 'YJ', line, closed FROM claims
    UNION ALL SELECT unit, 'WJ', line, closing FROM claims
    UNION ALL SELECT unit, 'SX', line, payable_cents FROM commissions
    UNION ALL SELECT unit, 'FC', line, premium_cents FROM ceded
    UNION ALL SELECT unit, 'TP', line, recovered_cents FROM ceded
    UNION ALL SELECT unit, 'TB', line, -net_cents FROM endorsed WHERE endorsement_type = '退保'
    UNION ALL SELECT unit, 'PJ', line, -net_cents FROM endorsed WHERE endorsement_type <> '退保' AND net_cents < 0
    UNION ALL SELECT unit, 'ND', line, -opening_cents FROM ledger WHERE account = '2601'
    UNION ALL SELECT unit, 'WD', line, -closing_cents FROM ledger WHERE account = '2601'
    UNION ALL SELECT unit, 'TD', line, movement_cents FROM ledger WHERE account = '6501'
    UNION ALL SELECT unit, 'NW', line, -opening_cents FROM ledger WHERE account = '2602'
    UNION ALL SELECT unit, 'YB', line, -closing_cents FROM ledger WHERE part = '260201'
    UNION ALL SELECT unit, 'IB', line, -closing_cents FROM ledger WHERE part = '260202'
    UNION ALL SELECT unit, 'LF', line, -closing_cents FROM ledger WHERE part = '260203'
    UNION ALL SELECT unit, 'TW', line, movement_cents FROM ledger WHERE account = '6502'
    UNION ALL SELECT u.unit, 'CL', u.line, 100 FROM vehicle AS v JOIN units AS u ON u.policy_no = v.policy_no
        WHERE u.signed_on BETWEEN :year_from AND :date_to
),
figures (unit, item, hundredths) AS (
    SELECT b.unit, b.indicator || l.suffix, b.hundredths FROM by_line AS b LEFT JOIN lines AS l ON l.line = b.line
    UNION ALL SELECT w.unit, CASE WHEN w.line IN ('JQ', 'SY') THEN 'QB0300' ELSE 'QB9000' END || c.code, w.net_cents
        FROM written AS w LEFT JOIN channels AS c ON c.channel = w.channel
    UNION ALL SELECT s.unit, 'QS0000' || c.code, 100 FROM signed AS s LEFT JOIN channels AS c ON c.channel = s.channel
    UNION ALL SELECT m.unit, 'SQ0000' || c.code, m.payable_cents FROM commissions AS m LEFT JOIN channels AS c ON c.channel = m.channel
    UNION ALL SELECT unit, 'ZZ000000', vat_cents FROM written
    UNION ALL SELECT unit, 'TF000000', commission_cents FROM ceded
    UNION ALL SELECT unit, 'ZK000000', recourse_cents FROM claims
    UNION ALL SELECT unit, 'SF000000', movement_cents FROM ledger WHERE account = '6403'
    UNION ALL SELECT unit, 'YG000000', movement_cents FROM ledger WHERE part = '660101'
    UNION ALL SELECT unit, 'YS000000', closing_cents FROM ledger WHERE account = '1122'
    UNION ALL SELECT unit, 'ZC010000', closing_cents FROM ledger WHERE account = '1002'
    UNION ALL SELECT unit, 'ZC030000', closing_cents FROM ledger WHERE account = '1211'
    UNION ALL SELECT unit, 'ZC040000', closing_cents FROM ledger WHERE account = '1212'
    UNION ALL SELECT unit, 'ZC090000', closing_cents FROM ledger WHERE class = '1' AND account NOT IN ('1002', '1122', '1211', '1212')
    UNION ALL SELECT unit, 'FZ030000', -closing_cents FROM ledger WHERE account = '2202'
    UNION ALL SELECT unit, 'FZ040000', -closing_cents FROM ledger WHERE account = '2221'
    UNION ALL SELECT unit, 'FZ050000', -closing_cents FROM ledger WHERE account = '2261'
    UNION ALL SELECT unit, 'FZ090000', -closing_cents FROM ledger WHERE class = '2' AND account NOT IN ('2202', '2221', '2261', '2601', '2602')
    UNION ALL SELECT unit, 'QY010000', -closing_cents FROM ledger WHERE account = '4001'
    UNION ALL SELECT unit, 'QY020000', -closing_cents FROM ledger WHERE class = '4' AND account <> '4001'
    UNION ALL SELECT unit, 'QY020000', -opening_cents FROM ledger WHERE class = '6'
    UNION ALL SELECT unit, 'QY030000', -movement_cents FROM ledger WHERE class = '6'
    UNION ALL SELECT p.unit, CASE c.customer_type WHEN '单位' THEN 'KH020000' ELSE 'KH010000' END, 100
        FROM policyholders AS p LEFT JOIN customers AS c ON c.customer_id = p.applicant_id
)
SELECT unit AS JGDM, item AS XMDM, SUM(hundredths) AS JE__cents
FROM figures
GROUP BY unit, item
