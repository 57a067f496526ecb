-- The voucher lines of the period's months in the branches in scope.
SELECT
    v.org_code AS BXJGDM,
    o.name AS BXJGMC,
    :date_to AS CJRQ,
    v.org_code AS FZJGDM,
    v.voucher_no AS PZH,
    v.line_no AS FLH,
    v.booked_on AS KJRQ,
    v.period AS KJQJ,
    v.account_no AS KMBH,
    v.currency AS HBDM,
    v.debit_cents AS JFJE__cents,
    v.credit_cents AS DFJE__cents,
    v.summary AS ZY,
    v.attachments AS FJZS,
    '财务系统' AS LYXT,
    v.prepared_by AS ZDR,
    v.reviewed_by AS SHR,
    v.reviewed_by AS JZR
FROM voucher AS v
LEFT JOIN organisation AS o ON o.org_code = v.org_code
WHERE v.org_code IN :organisations AND v.period BETWEEN :period_from AND :period_to
