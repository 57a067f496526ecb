SELECT h.JGDM, h.XMDM, h.JE AS value
FROM HZB AS h
JOIN XMB AS i ON i.XMDM = h.XMDM
WHERE i.DW <> '元' AND (h.JE < 0 OR h.JE <> trunc(h.JE))
