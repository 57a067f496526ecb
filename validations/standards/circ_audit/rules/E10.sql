-- Until when the intermediary may sell is the earlier of its licence and its contract.
SELECT DISTINCT p.BDH, 'ZJJGBM' AS field, p.QDRQ AS value, z.HZQSRQ || '–' || LEAST(z.XKZYXQ, z.HZZZRQ) AS expected
FROM BDXXB AS p JOIN ZJJGXXB AS z USING (ZJJGBM)
WHERE p.QDRQ < z.HZQSRQ OR p.QDRQ > LEAST(z.XKZYXQ, z.HZZZRQ)
UNION ALL
SELECT DISTINCT p.BDH, 'XSRYBH', p.QDRQ, '≤ ' || s.ZYZYXQ
FROM BDXXB AS p JOIN XSRYXXB AS s USING (XSRYBH)
WHERE p.QDRQ > s.ZYZYXQ
