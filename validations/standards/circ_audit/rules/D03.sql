-- The first date that lies before the one it must follow; a date that is not there yet is not judged.
WITH judged AS (
    SELECT PAH, CXRQ, BARQ, LARQ,
        CASE WHEN BARQ < CXRQ THEN 'BARQ' WHEN LARQ < BARQ THEN 'LARQ' WHEN JARQ < COALESCE(LARQ, BARQ) THEN 'JARQ' END AS field
    FROM PAXXB
)
SELECT PAH, field, '≥ ' || CASE field WHEN 'BARQ' THEN CXRQ WHEN 'LARQ' THEN BARQ ELSE COALESCE(LARQ, BARQ) END AS expected
FROM judged
WHERE field IS NOT NULL
