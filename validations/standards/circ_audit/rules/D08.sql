-- A claim that is not closed has no closing date and no way of closing; once registered it has something outstanding.
-- 1900-01-01 is no date.
WITH judged AS (
    SELECT PAH, JARQ, JALX, WJPK,
        CASE
            WHEN JARQ <> DATE '1900-01-01' THEN 'JARQ'
            WHEN JALX IS NOT NULL THEN 'JALX'
            WHEN PAZT = '已立案' AND WJPK <= 0 THEN 'WJPK'
        END AS field
    FROM PAXXB
    WHERE PAZT IN ('已报案', '已立案')
)
SELECT PAH, field, CASE field WHEN 'JARQ' THEN CAST(JARQ AS VARCHAR) WHEN 'JALX' THEN JALX ELSE CAST(WJPK AS VARCHAR) END AS value,
    CASE field WHEN 'WJPK' THEN '> 0' END AS expected
FROM judged
WHERE field IS NOT NULL
