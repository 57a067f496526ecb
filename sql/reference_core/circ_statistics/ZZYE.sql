-- The ledger under the items that must agree with it: income on the credit side, outlay on the debit side, year to date.
-- Ceded business and claims expenses are booked without the line and held against the item's total.
WITH lines (line, suffix) AS (
    VALUES ('QC', '010000'), ('JC', '020000'), ('JQ', '030100'), ('SY', '030200'), ('ZR', '040000'), ('HY', '050000'), ('YW', '060000'),
        ('GC', '070000'), ('XY', '080000'), ('BZ', '090000'), ('CB', '100000'), ('TF', '110000'), ('NY', '120000'), ('JK', '130000'), ('QT', '190000')
),
accounts (account_no, item, side) AS (
    SELECT '6031' || line, 'BF' || suffix, -1 FROM lines
    UNION ALL
    SELECT '6511' || line, 'PK' || suffix, 1 FROM lines
    UNION ALL
    SELECT '6421' || line, 'SX' || suffix, 1 FROM lines
    UNION ALL
    SELECT '6541', 'FC000000', 1
    UNION ALL
    SELECT '6202', 'TP000000', -1
    UNION ALL
    SELECT '6203', 'TF000000', -1
    UNION ALL
    SELECT '660102', 'LP000000', 1
)
SELECT
    g.org_code AS JGDM,
    a.item AS XMDM,
    a.account_no AS KMBH,
    SUM(a.side * (g.debit_cents - g.credit_cents)) AS JE__cents
FROM gl_balance AS g
JOIN accounts AS a ON a.account_no = g.account_no
WHERE g.org_code IN :organisations
    AND g.period BETWEEN SUBSTR(:period_to, 1, 4) || '01' AND :period_to
GROUP BY g.org_code, a.item, a.account_no
