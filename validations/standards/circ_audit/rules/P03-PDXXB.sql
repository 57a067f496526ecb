-- The endorsements of every policy in the filing are reported, so those reported before are there again.
SELECT DISTINCT b.PDH, b.BXJGDM AS organisation
FROM previous.PDXXB AS b SEMI JOIN BDXXB USING (BDH) ANTI JOIN PDXXB USING (PDH)
