-- Debit less credit must carry on; the side on which the account stands is blamed. An opening side left empty is zero.
WITH sides AS (
    SELECT *,
        COALESCE(QCJF, 0) - COALESCE(QCDF, 0) + BQJF - BQDF AS net_expected,
        QMJF = 0 AND (QMDF <> 0 OR QCDF <> 0) AS is_credit
    FROM ZZKJQKMB
)
SELECT
    FZJGDM, KMBH, KJQJ, HBDM,
    CASE WHEN is_credit THEN 'QMDF' ELSE 'QMJF' END AS field,
    CASE WHEN is_credit THEN QMDF ELSE QMJF END AS value,
    CASE WHEN is_credit THEN QMJF - net_expected ELSE QMDF + net_expected END AS expected,
    CASE WHEN is_credit THEN QMDF - QMJF + net_expected ELSE QMJF - QMDF - net_expected END AS difference
FROM sides
WHERE QMJF - QMDF <> net_expected
