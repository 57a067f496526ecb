-- Organisations in scope with all below them, and the head office above: superiors lead every value to the company.
SELECT
    o.org_code AS JGDM,
    o.name AS JGMC,
    o.parent_code AS SJJGDM,
    o.level AS CJ,
    CASE o.is_own_account WHEN 1 THEN '是' ELSE '否' END AS SFBJ
FROM organisation AS o
WHERE o.org_code IN :sub_organisations OR o.level = 0
