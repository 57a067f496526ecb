-- All items of every organisation: leaf values go up to their parent items and into the computed items, and up to the
-- superior organisations where the item is general (SFKJ = 1). Sums over all paths, which is what rolling up the deepest
-- level first comes to. What this report demands is zero where there is nothing; the other items are empty, so that a
-- formula is judged only where all its items are due. Ratios never add up: they are in BLB.
WITH RECURSIVE parts (part, whole, sign) AS (
    SELECT XMDM, SJXM, 1 FROM XMB WHERE SJXM IS NOT NULL
    UNION ALL
    SELECT ltrim(t.term, '+-'), t.XMDM, CASE WHEN starts_with(t.term, '-') THEN -1 ELSE 1 END
    FROM (SELECT XMDM, unnest(regexp_extract_all(JSGS, '[+-]?[0-9A-Z]+')) AS term FROM XMB) AS t
),
item_paths (leaf, part, sign, depth) AS (
    SELECT XMDM, XMDM, 1, 1 FROM XMB WHERE SFMJ = 1
    UNION ALL
    SELECT p.leaf, w.whole, p.sign * w.sign, p.depth + 1 FROM item_paths AS p JOIN parts AS w USING (part)
    WHERE p.depth < 20  -- a circle in an item master ends
),
organisation_paths (below, organisation, above) AS (
    SELECT JGDM, JGDM, SJJGDM FROM JGB
    UNION  -- not UNION ALL: a circle among the superiors ends
    SELECT p.below, o.JGDM, o.SJJGDM FROM organisation_paths AS p JOIN JGB AS o ON o.JGDM = p.above
),
sums AS (
    SELECT o.organisation, p.part AS XMDM, SUM(x.JE * p.sign) AS amount
    FROM XMZ AS x
    JOIN item_paths AS p ON p.leaf = x.XMDM
    JOIN XMB AS i ON i.XMDM = p.part
    JOIN organisation_paths AS o ON o.below = x.JGDM
    WHERE i.SFKJ = 1 OR o.organisation = x.JGDM
    GROUP BY o.organisation, p.part
),
items AS (
    SELECT XMDM, CASE $report WHEN 'flash' THEN KB WHEN 'monthly' THEN YB WHEN 'quarterly' THEN JB WHEN 'half_year' THEN BB WHEN 'annual' THEN NB END AS is_due
    FROM XMB
    WHERE LX <> '比率'
)
SELECT b.JGDM, i.XMDM, CASE WHEN i.is_due = 1 THEN COALESCE(s.amount, 0) END AS JE
FROM (SELECT DISTINCT JGDM FROM JGB) AS b
CROSS JOIN items AS i
LEFT JOIN sums AS s ON s.organisation = b.JGDM AND s.XMDM = i.XMDM
