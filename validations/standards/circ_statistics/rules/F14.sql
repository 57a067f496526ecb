-- Half a unit of the last printed digit: a ratio has two decimals.
SELECT b.JGDM, b.XMDM, b.BL AS value
FROM BLB AS b
JOIN XMB AS i ON i.XMDM = b.XMDM
JOIN HZB AS n ON n.JGDM = b.JGDM AND n.XMDM = i.FZXM
JOIN HZB AS d ON d.JGDM = b.JGDM AND d.XMDM = i.FMXM
WHERE abs(b.BL * d.JE - 100 * n.JE) > 0.005 * abs(d.JE)
