-- The cover as it stood on the day of the accident: the policy's own period, or what the endorsements effective by then made
-- of it; a surrender ends it on the day it takes effect. 1900-01-01 is no date. A period that ends before it starts is D01's matter.
WITH endorsed AS (
    SELECT a.PAH, ARG_MAX(NULLIF(e.PGHQBRQ, DATE '1900-01-01'), e.PDXH) AS starts_on,
        ARG_MAX(NULLIF(e.PGHZBRQ, DATE '1900-01-01'), e.PDXH) AS ends_on,
        MIN(CASE e.PGLX WHEN '退保' THEN e.PDSXRQ END) AS surrendered_on
    FROM PAXXB AS a JOIN PDXXB AS e USING (BDH)
    WHERE e.PDSXRQ <= a.CXRQ
    GROUP BY a.PAH
),
covers AS (
    SELECT DISTINCT a.PAH, a.CXRQ, COALESCE(e.starts_on, p.QBRQ) AS starts_on,
        LEAST(COALESCE(e.ends_on, p.ZBRQ), e.surrendered_on) AS ends_on
    FROM PAXXB AS a
    JOIN BDXXB AS p USING (BDH)
    LEFT JOIN endorsed AS e USING (PAH)
)
SELECT PAH, CXRQ AS value, starts_on || '–' || ends_on AS expected
FROM covers
WHERE starts_on <= ends_on AND (CXRQ < starts_on OR CXRQ > ends_on)
