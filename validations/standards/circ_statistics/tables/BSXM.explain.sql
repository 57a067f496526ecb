-- A reported item is the rolled-up one.
SELECT JGDM, XMDM, 'HZB' AS part, JGDM AS part_JGDM, XMDM AS part_XMDM, 1 AS weight FROM BSXM
