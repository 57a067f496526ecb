-- A claim that was closed when last reported: its status, its closing date and what was settled.
WITH compared AS (
    SELECT PAH, c.PAZT, c.JARQ, c.YJPK, b.PAZT AS old_status, b.JARQ AS old_closed, b.YJPK AS old_settled,
        CASE WHEN c.PAZT <> b.PAZT THEN 'PAZT' WHEN c.JARQ <> b.JARQ THEN 'JARQ' WHEN c.YJPK <> b.YJPK THEN 'YJPK' END AS field
    FROM PAXXB AS c JOIN previous.PAXXB AS b USING (PAH)
    WHERE b.PAZT = '已结案'
)
SELECT DISTINCT PAH, field,
    CASE field WHEN 'PAZT' THEN PAZT WHEN 'JARQ' THEN CAST(JARQ AS VARCHAR) ELSE CAST(YJPK AS VARCHAR) END AS value,
    CASE field WHEN 'PAZT' THEN old_status WHEN 'JARQ' THEN CAST(old_closed AS VARCHAR) ELSE CAST(old_settled AS VARCHAR) END AS expected
FROM compared
WHERE field IS NOT NULL
