-- The ledger's year to date under the items that must agree with it: income on the credit side, outlay on the debit side.
WITH lines (line, suffix) AS (
    VALUES ('QC', '010000'), ('JC', '020000'), ('JQ', '030100'), ('SY', '030200'), ('ZR', '040000'), ('HY', '050000'), ('YW', '060000')
),
accounts (account_no, item, side) AS (
    SELECT '6031' || line, 'BF' || suffix, -1 FROM lines
    UNION ALL
    SELECT '6511' || line, 'PK' || suffix, 1 FROM lines
    UNION ALL
    SELECT '6421', 'SX000000', 1
)
SELECT
    g.org_code AS JGDM,
    a.item AS XMDM,
    a.account_no AS KMBH,
    SUM(a.side * (g.debit_cents - g.credit_cents)) AS JE__cents
FROM gl_balance AS g
JOIN accounts AS a ON a.account_no = g.account_no
WHERE g.org_code IN :organisations
    AND g.period BETWEEN REPLACE(SUBSTR(:year_from, 1, 7), '-', '') AND :period_to
GROUP BY g.org_code, a.item, a.account_no
