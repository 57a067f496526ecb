-- The first date that lies before the one it must follow; a date that is not there yet is not judged.
SELECT
    PAH,
    CASE WHEN BARQ < CXRQ THEN 'BARQ' WHEN LARQ < BARQ THEN 'LARQ' ELSE 'JARQ' END AS field,
    CASE WHEN BARQ < CXRQ THEN '≥ ' || CXRQ WHEN LARQ < BARQ THEN '≥ ' || BARQ ELSE '≥ ' || COALESCE(LARQ, BARQ) END AS expected
FROM PAXXB
WHERE BARQ < CXRQ OR LARQ < BARQ OR JARQ < COALESCE(LARQ, BARQ)
