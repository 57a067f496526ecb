-- What was fixed when the policy was signed; later changes are endorsements. The first value that differs is named.
WITH compared AS (
    SELECT BDH, p.XZDM, p.QDRQ, p.QBRQ, p.ZBRQ, p.BF, p.BFBHS,
        b.XZDM AS old_product, b.QDRQ AS old_signed, b.QBRQ AS old_start, b.ZBRQ AS old_end, b.BF AS old_gross, b.BFBHS AS old_net,
        CASE
            WHEN p.XZDM <> b.XZDM THEN 'XZDM'
            WHEN p.QDRQ <> b.QDRQ THEN 'QDRQ'
            WHEN p.QBRQ <> b.QBRQ THEN 'QBRQ'
            WHEN p.ZBRQ <> b.ZBRQ THEN 'ZBRQ'
            WHEN p.BF <> b.BF THEN 'BF'
            WHEN p.BFBHS <> b.BFBHS THEN 'BFBHS'
        END AS field
    FROM BDXXB AS p JOIN previous.BDXXB AS b USING (BDH)
)
SELECT DISTINCT BDH, field,
    CASE field WHEN 'XZDM' THEN XZDM WHEN 'QDRQ' THEN CAST(QDRQ AS VARCHAR) WHEN 'QBRQ' THEN CAST(QBRQ AS VARCHAR)
        WHEN 'ZBRQ' THEN CAST(ZBRQ AS VARCHAR) WHEN 'BF' THEN CAST(BF AS VARCHAR) ELSE CAST(BFBHS AS VARCHAR) END AS value,
    CASE field WHEN 'XZDM' THEN old_product WHEN 'QDRQ' THEN CAST(old_signed AS VARCHAR) WHEN 'QBRQ' THEN CAST(old_start AS VARCHAR)
        WHEN 'ZBRQ' THEN CAST(old_end AS VARCHAR) WHEN 'BF' THEN CAST(old_gross AS VARCHAR) ELSE CAST(old_net AS VARCHAR) END AS expected
FROM compared
WHERE field IS NOT NULL
