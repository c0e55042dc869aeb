package imapd

// savedKey is SAVEDBEFORE, SAVEDON and SAVEDSINCE (RFC 8514 section 4.3), by the UTC day that SAVEDATE shows. SAVEDATESUPPORTED
// matches every message.
type savedKey struct{ dateKey }

func (k savedKey) eval(c *candidate) verdict { return verdictOf(k.contains(c.row.SaveDate.Unix())) }
