-- As many instalments as the policy says, and together its premium as signed.
WITH plans AS (
    SELECT BDH, COUNT(*) AS instalments, SUM(YJJE) AS amount FROM FQJFB GROUP BY BDH
),
compared AS (
    SELECT p.BDH, p.BF, p.FQCS, n.amount, COALESCE(n.instalments, 0) AS instalments,
        CASE WHEN COALESCE(n.instalments, 0) <> p.FQCS THEN 'FQCS' WHEN n.amount <> p.BF THEN 'BF' END AS field
    FROM BDXXB AS p LEFT JOIN plans AS n USING (BDH)
    WHERE p.JFFS = '分期'
)
SELECT BDH, field,
    CASE field WHEN 'FQCS' THEN CAST(FQCS AS VARCHAR) ELSE CAST(BF AS VARCHAR) END AS value,
    CASE field WHEN 'FQCS' THEN CAST(instalments AS VARCHAR) ELSE CAST(amount AS VARCHAR) END AS expected
FROM compared
WHERE field IS NOT NULL
