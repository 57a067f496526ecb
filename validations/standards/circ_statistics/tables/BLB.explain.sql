-- A ratio is its numerator over its denominator, both of the same organisation.
SELECT r.JGDM, r.XMDM, 'HZB' AS part, r.JGDM AS part_JGDM, i.FZXM AS part_XMDM, 1 AS weight, 'numerator' AS side
FROM BLB AS r
JOIN XMB AS i ON i.XMDM = r.XMDM
UNION ALL
SELECT r.JGDM, r.XMDM, 'HZB', r.JGDM, i.FMXM, 1, 'denominator'
FROM BLB AS r
JOIN XMB AS i ON i.XMDM = r.XMDM
