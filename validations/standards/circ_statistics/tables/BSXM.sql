-- What is reported: every due item of every organisation, zero where there is nothing.
-- Leaf values go up to their parent items at every level, and up to the superior organisations where the item is general
-- (General = 1): sums over all paths, which is what rolling up the deepest level first comes to.
-- Item master: code (as sent), parent, level, leaf, general, and the reports in which the item is due. Titles stand in
-- codes/items.csv. Reconstructed; the regulator's own item list is not public.
WITH RECURSIVE items (code, up_code, item_level, is_leaf, is_general, on_flash, on_month, on_quarter, on_half_year, on_year) AS (
    VALUES
        ('BF000000', NULL      , 1, 0, 1, 1, 1, 1, 1, 1),
        ('BF010000', 'BF000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('BF020000', 'BF000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('BF030000', 'BF000000', 2, 0, 1, 1, 1, 1, 1, 1),
        ('BF030100', 'BF030000', 3, 1, 1, 0, 1, 1, 1, 1),
        ('BF030200', 'BF030000', 3, 1, 1, 0, 1, 1, 1, 1),
        ('BF040000', 'BF000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('BF050000', 'BF000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('BF060000', 'BF000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('QD000000', NULL      , 1, 1, 1, 1, 1, 1, 1, 1),
        ('BE000000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('KH000000', NULL      , 1, 1, 0, 0, 1, 1, 1, 1),
        ('PK000000', NULL      , 1, 0, 1, 1, 1, 1, 1, 1),
        ('PK010000', 'PK000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('PK020000', 'PK000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('PK030000', 'PK000000', 2, 0, 1, 1, 1, 1, 1, 1),
        ('PK030100', 'PK030000', 3, 1, 1, 0, 1, 1, 1, 1),
        ('PK030200', 'PK030000', 3, 1, 1, 0, 1, 1, 1, 1),
        ('PK040000', 'PK000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('PK050000', 'PK000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('PK060000', 'PK000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('WJ010000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('WJ020000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('WJ030000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('WJ040000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('ZB010000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('ZB020000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('ZB030000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('SX000000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('ZZ000000', NULL      , 1, 1, 1, 0, 1, 1, 1, 1),
        ('TB000000', NULL      , 1, 0, 1, 0, 1, 1, 1, 1),
        ('TB010000', 'TB000000', 2, 1, 1, 0, 1, 1, 1, 1),
        ('TB020000', 'TB000000', 2, 1, 1, 0, 1, 1, 1, 1)
),
due AS (
    SELECT code FROM items
    WHERE 1 = CASE $report
        WHEN 'flash' THEN on_flash
        WHEN 'monthly' THEN on_month
        WHEN 'quarterly' THEN on_quarter
        WHEN 'half_year' THEN on_half_year
        WHEN 'annual' THEN on_year
    END
),
item_paths (leaf, item, up_code) AS (
    SELECT code, code, up_code FROM items WHERE is_leaf = 1
    UNION ALL
    SELECT p.leaf, i.code, i.up_code FROM item_paths AS p JOIN items AS i ON i.code = p.up_code
),
organisation_paths (below, organisation, above) AS (
    SELECT JGDM, JGDM, SJJGDM FROM JGB
    UNION  -- not UNION ALL: a circle among the superiors ends
    SELECT p.below, o.JGDM, o.SJJGDM FROM organisation_paths AS p JOIN JGB AS o ON o.JGDM = p.above
),
sums AS (
    SELECT o.organisation, p.item, SUM(x.JE) AS amount
    FROM XMZ AS x
    JOIN item_paths AS p ON p.leaf = x.XMDM
    JOIN items AS i ON i.code = p.item
    JOIN organisation_paths AS o ON o.below = x.JGDM
    WHERE i.is_general = 1 OR o.organisation = x.JGDM
    GROUP BY o.organisation, p.item
)
SELECT b.JGDM, d.code AS XMDM, COALESCE(s.amount, 0) AS JE
FROM (SELECT DISTINCT JGDM FROM JGB) AS b
CROSS JOIN due AS d
LEFT JOIN sums AS s ON s.organisation = b.JGDM AND s.item = d.code
