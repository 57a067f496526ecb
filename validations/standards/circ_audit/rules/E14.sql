-- Only policies signed within the period: receipts of earlier ones are not all in this filing. Instalments are D14's matter.
-- 1900-01-01 is no date: nothing was received.
WITH received AS (
    SELECT s.BDH, SUM(s.SSJE) AS amount
    FROM SFFMXB AS s JOIN (SELECT DISTINCT BDH, QDRQ FROM BDXXB) AS p USING (BDH)
    WHERE s.YWLX = 'P' AND s.SFBZ = '收' AND s.SSRQ <= p.QDRQ AND s.SSRQ <> DATE '1900-01-01'
    GROUP BY s.BDH
),
due AS (
    SELECT DISTINCT p.BDH, COALESCE(r.amount, 0) AS received, p.BF + COALESCE(p.CCS, 0) AS wanted
    FROM BDXXB AS p LEFT JOIN received AS r USING (BDH)
    WHERE p.XL IN ('JQ', 'SY')
        AND COALESCE(p.JFFS, '趸交') = '趸交'
        AND p.QDRQ BETWEEN CAST($date_from AS DATE) AND CAST($date_to AS DATE)
)
SELECT BDH, received AS value, wanted AS expected, received - wanted AS difference
FROM due
WHERE received < wanted
