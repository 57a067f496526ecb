-- Branches in scope and everything below them; a sub-branch's row belongs to the branch above it. The head office stands with
-- them when the filing is about the whole company.
WITH whole_company AS (
    SELECT COUNT(*) AS missing FROM organisation WHERE level = 1 AND org_code NOT IN :organisations
)
SELECT
    b.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    o.org_code AS FZJGDM,
    o.name AS FZJGMC,
    o.org_type AS JGLX,
    o.parent_code AS SJJGDM,
    b.org_code AS GLJGDM,
    -- The five cities planned separately (大连、宁波、厦门、青岛、深圳) have a bureau of their own.
    CASE WHEN SUBSTR(o.region_code, 1, 4) IN ('2102', '3302', '3502', '3702', '4403')
        THEN SUBSTR(o.region_code, 1, 4) || '00'
        ELSE SUBSTR(o.region_code, 1, 2) || '0000'
    END AS JGXQDM,
    o.region_code AS XZQHDM,
    o.uscc AS TYSHXYDM,
    o.licence_no AS XKZH,
    o.established_on AS CLRQ,
    o.closed_on AS TYRQ,
    o.status AS YYZT,
    o.principal AS FZR,
    o.address AS DZ,
    o.postcode AS YB,
    o.phone AS DH
FROM organisation AS o
JOIN organisation AS b ON b.org_code = CASE WHEN o.level = 2 THEN o.parent_code ELSE o.org_code END
WHERE o.org_code IN :sub_organisations
    OR (o.level = 0 AND (SELECT missing FROM whole_company) = 0)
