-- What is reported: every item that this report demands, of every organisation.
SELECT JGDM, XMDM, JE FROM HZB WHERE JE IS NOT NULL
