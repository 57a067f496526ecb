-- How a rolled-up figure opens. The company's into its organisations; another organisation's parent or computed item into the
-- items it is made of, a leaf item into the organisations below and the row extracted for the organisation itself. Items that
-- this report does not demand have no figure: what stands behind them takes their place, down to the extracted rows.
-- Against it stands the general ledger, where the ledger knows the item for that organisation.
WITH RECURSIVE parts (part, whole, sign) AS (
    SELECT XMDM, SJXM, 1 FROM XMB WHERE SJXM IS NOT NULL
    UNION ALL
    SELECT ltrim(t.term, '+-'), t.XMDM, CASE WHEN starts_with(t.term, '-') THEN -1 ELSE 1 END
    FROM (SELECT XMDM, unnest(regexp_extract_all(JSGS, '[+-]?[0-9A-Z]+')) AS term FROM XMB) AS t
),
due AS (
    SELECT DISTINCT XMDM FROM HZB WHERE JE IS NOT NULL
),
-- The items of an item: those that are due, and on the way to them those that are not.
opened (whole, part, sign, depth) AS (
    SELECT whole, part, sign, 1 FROM parts
    UNION ALL
    SELECT o.whole, p.part, o.sign * p.sign, o.depth + 1
    FROM opened AS o
    JOIN parts AS p ON p.whole = o.part
    WHERE o.part NOT IN (SELECT XMDM FROM due) AND o.depth < 20
),
-- The leaf items of an item, whatever is due; of a leaf item itself.
leaves (whole, leaf, sign, depth) AS (
    SELECT XMDM, XMDM, 1, 1 FROM XMB WHERE SFMJ = 1
    UNION ALL
    SELECT w.whole, l.leaf, l.sign * w.sign, l.depth + 1 FROM leaves AS l JOIN parts AS w ON w.part = l.whole
    WHERE l.depth < 20
),
organisations AS (
    SELECT DISTINCT JGDM, SJJGDM FROM JGB
),
organisation_paths (below, organisation, above) AS (
    SELECT JGDM, JGDM, SJJGDM FROM organisations
    UNION
    SELECT p.below, o.JGDM, o.SJJGDM FROM organisation_paths AS p JOIN organisations AS o ON o.JGDM = p.above
),
extracted AS (
    SELECT DISTINCT JGDM, XMDM FROM XMZ
),
figures AS (
    SELECT
        h.JGDM,
        h.XMDM,
        i.SFKJ = 1 AS is_general,
        i.SFKJ = 1 AND h.JGDM IN (SELECT JGDM FROM organisations WHERE SJJGDM IS NULL) AS is_company,
        h.XMDM IN (SELECT whole FROM parts) AS has_items
    FROM HZB AS h
    JOIN XMB AS i ON i.XMDM = h.XMDM
    WHERE h.JE IS NOT NULL
),
steps AS (
    SELECT f.JGDM, f.XMDM, 'HZB' AS part, o.JGDM AS part_JGDM, f.XMDM AS part_XMDM, CAST(NULL AS VARCHAR) AS part_KMBH, 1 AS weight
    FROM figures AS f
    JOIN organisations AS o ON o.SJJGDM = f.JGDM
    WHERE f.is_company OR (f.is_general AND NOT f.has_items)
    UNION ALL
    SELECT f.JGDM, f.XMDM, 'HZB', f.JGDM, o.part, NULL, o.sign
    FROM figures AS f
    JOIN opened AS o ON o.whole = f.XMDM
    WHERE NOT f.is_company AND o.part IN (SELECT XMDM FROM due)
    UNION ALL
    SELECT f.JGDM, f.XMDM, 'XMZ', x.JGDM, x.XMDM, NULL, o.sign
    FROM figures AS f
    JOIN opened AS o ON o.whole = f.XMDM
    JOIN XMB AS i ON i.XMDM = o.part AND i.SFMJ = 1
    JOIN organisation_paths AS p ON p.organisation = f.JGDM
    JOIN extracted AS x ON x.JGDM = p.below AND x.XMDM = o.part
    WHERE NOT f.is_company AND o.part NOT IN (SELECT XMDM FROM due) AND (f.is_general OR p.below = f.JGDM)
    UNION ALL
    SELECT f.JGDM, f.XMDM, 'XMZ', x.JGDM, x.XMDM, NULL, l.sign
    FROM figures AS f
    JOIN leaves AS l ON l.whole = f.XMDM AND (f.is_company OR l.leaf = f.XMDM)
    JOIN extracted AS x ON x.JGDM = f.JGDM AND x.XMDM = l.leaf
    UNION ALL
    SELECT f.JGDM, f.XMDM, 'ZZYE', z.JGDM, z.XMDM, z.KMBH, 1
    FROM figures AS f
    JOIN (SELECT DISTINCT JGDM, XMDM, KMBH FROM ZZYE) AS z ON z.JGDM = f.JGDM AND z.XMDM = f.XMDM
)
SELECT JGDM, XMDM, part, part_JGDM, part_XMDM, part_KMBH, weight
FROM steps
ORDER BY JGDM, XMDM, part, part_JGDM, part_XMDM, part_KMBH
