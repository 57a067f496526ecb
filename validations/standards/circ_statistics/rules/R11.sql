-- The detail data is of one period, the statistics are of the year to date: comparable where the period begins the year.
-- Judged for the branches that the detail data has; the statistics' own lines stand for the codes of the detail data.
WITH lines (line, suffix) AS (
    VALUES ('QC', '010000'), ('JC', '020000'), ('JQ', '030100'), ('SY', '030200'), ('ZR', '040000'), ('HY', '050000'), ('YW', '060000'),
        ('GC', '070000'), ('XY', '080000'), ('BZ', '090000'), ('CB', '100000'), ('TF', '110000'), ('NY', '120000'), ('JK', '130000'), ('QT', '190000')
),
detail AS (
    SELECT BXJGDM, 'BF' AS indicator, XL, BFBHS AS amount FROM circ_audit.BDXXB WHERE QDRQ BETWEEN CAST($date_from AS DATE) AND CAST($date_to AS DATE)
    UNION ALL
    SELECT BXJGDM, 'BF', XL, BFBHLBHS FROM circ_audit.PDXXB WHERE PDSXRQ BETWEEN CAST($date_from AS DATE) AND CAST($date_to AS DATE)
    UNION ALL
    SELECT BXJGDM, 'PK', XL, PKJE FROM circ_audit.PKZFB WHERE ZFRQ BETWEEN CAST($date_from AS DATE) AND CAST($date_to AS DATE)
),
sums AS (SELECT BXJGDM, indicator, XL, SUM(amount) AS amount FROM detail GROUP BY BXJGDM, indicator, XL)
SELECT b.JGDM, b.XMDM, b.JE AS value, COALESCE(s.amount, 0) AS expected, b.JE - COALESCE(s.amount, 0) AS difference
FROM BSXM AS b
JOIN lines AS l ON l.suffix = substr(b.XMDM, 3)
LEFT JOIN sums AS s ON s.BXJGDM = b.JGDM AND s.XL = l.line AND s.indicator = substr(b.XMDM, 1, 2)
WHERE substr(b.XMDM, 1, 2) IN ('BF', 'PK')
    AND b.JGDM IN (SELECT BXJGDM FROM circ_audit.BDXXB)
    AND $date_from = $year_from
    AND b.JE <> COALESCE(s.amount, 0)
