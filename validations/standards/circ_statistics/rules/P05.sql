-- Only organisations that are still there; one that is gone is P03's.
SELECT p.JGDM, p.XMDM
FROM previous.BSXM AS p
JOIN JGB AS o ON o.JGDM = p.JGDM
JOIN XMB AS i ON i.XMDM = p.XMDM
LEFT JOIN BSXM AS b ON b.JGDM = p.JGDM AND b.XMDM = p.XMDM
WHERE b.XMDM IS NULL
    AND CASE $report WHEN 'flash' THEN i.KB WHEN 'monthly' THEN i.YB WHEN 'quarterly' THEN i.JB WHEN 'half_year' THEN i.BB WHEN 'annual' THEN i.NB END = 1
