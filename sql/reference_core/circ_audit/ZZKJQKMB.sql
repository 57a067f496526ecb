-- Balances of all accounts in the period's months, the accounts above the leaves too; the line stands in the account number
-- (6031JQ). The whole company's ledger stands with them when the filing is about all its branches.
WITH whole_company AS (
    SELECT COUNT(*) AS missing FROM organisation WHERE level = 1 AND org_code NOT IN :organisations
)
SELECT
    g.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    g.org_code AS FZJGDM,
    g.account_no AS KMBH,
    g.period AS KJQJ,
    a.name AS KMMC,
    a.level AS KMJC,
    a.parent_no AS SJKMBH,
    g.currency AS HBDM,
    g.opening_debit_cents AS QCJF__cents,
    g.opening_credit_cents AS QCDF__cents,
    g.debit_cents AS BQJF__cents,
    g.credit_cents AS BQDF__cents,
    g.closing_debit_cents AS QMJF__cents,
    g.closing_credit_cents AS QMDF__cents
FROM gl_balance AS g
LEFT JOIN gl_account AS a ON a.account_no = g.account_no
LEFT JOIN organisation AS o ON o.org_code = g.org_code
WHERE (g.org_code IN :organisations OR (o.level = 0 AND (SELECT missing FROM whole_company) = 0))
    AND g.period BETWEEN :period_from AND :period_to
