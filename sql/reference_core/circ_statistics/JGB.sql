-- Organisations in scope with all below them, and the head office above: superiors lead every value to the company.
-- The company and the head office's own account belong to no region.
SELECT
    o.org_code AS JGDM,
    o.name AS JGMC,
    o.parent_code AS SJJGDM,
    o.level AS CJ,
    CASE o.is_own_account WHEN 1 THEN '是' ELSE '否' END AS SFBJ,
    CASE WHEN o.level = 0 OR o.is_own_account = 1 THEN NULL ELSE o.region_code END AS XZQH
FROM organisation AS o
WHERE o.org_code IN :sub_organisations OR o.level = 0
