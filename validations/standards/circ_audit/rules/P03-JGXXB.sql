-- Of the branches in this filing; the filing before may have been about others as well.
SELECT DISTINCT b.FZJGDM, b.BXJGDM AS organisation
FROM previous.JGXXB AS b SEMI JOIN JGXXB USING (BXJGDM) ANTI JOIN JGXXB AS o USING (FZJGDM)
