-- The first date that lies before the one it must follow; a date that is not there yet (1900-01-01 says so, too) is not judged.
WITH given AS (
    SELECT PAH, CXRQ, BARQ, NULLIF(LARQ, DATE '1900-01-01') AS LARQ, NULLIF(JARQ, DATE '1900-01-01') AS JARQ FROM PAXXB
),
judged AS (
    SELECT PAH, CXRQ, BARQ, LARQ,
        CASE WHEN BARQ < CXRQ THEN 'BARQ' WHEN LARQ < BARQ THEN 'LARQ' WHEN JARQ < COALESCE(LARQ, BARQ) THEN 'JARQ' END AS field
    FROM given
)
SELECT PAH, field, '≥ ' || CASE field WHEN 'BARQ' THEN CXRQ WHEN 'LARQ' THEN BARQ ELSE COALESCE(LARQ, BARQ) END AS expected
FROM judged
WHERE field IS NOT NULL
