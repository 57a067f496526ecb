-- The claims of every policy in the filing are reported, so those reported before are there again.
SELECT DISTINCT b.PAH, b.BXJGDM AS organisation
FROM previous.PAXXB AS b SEMI JOIN BDXXB USING (BDH) ANTI JOIN PAXXB USING (PAH)
