-- Of the branches that the filing before was about.
SELECT DISTINCT p.BDH, p.QDRQ AS value
FROM BDXXB AS p
SEMI JOIN (SELECT BXJGDM FROM previous.BDXXB) AS b USING (BXJGDM)
ANTI JOIN (SELECT BDH FROM previous.BDXXB) AS r USING (BDH)
WHERE p.QDRQ BETWEEN CAST($previous_from AS DATE) AND CAST($previous_to AS DATE)
