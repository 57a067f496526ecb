-- The payments of every claim in the filing are reported, so those reported before are there again.
SELECT DISTINCT b.PAH, b.JSSH, b.ZFXH, b.BXJGDM AS organisation
FROM previous.PKZFB AS b SEMI JOIN PAXXB USING (PAH) ANTI JOIN PKZFB USING (PAH, JSSH, ZFXH)
