package imapd

import (
	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// searchHit is a message that was found.
type searchHit struct {
	seq    mailstore.SeqNum
	uid    metadata.UID
	modseq metadata.ModSeq
}

// respond writes the untagged SEARCH, SORT or ESEARCH response. hits are in the order of the mailbox or of SORT.
func (c *search) respond(s *session, r *searchRun) {
	hits := r.hits
	if c.ret.silent() || c.multi && len(hits) == 0 { // RFC 7377 section 2.1
		return
	}
	w := s.w
	if !c.ret.extended() {
		w.Raw("* ").Raw(c.name)
		for _, h := range hits {
			w.SP().Number(uint64(c.number(h)))
		}
		if c.program.modseq && len(hits) > 0 { // RFC 7162 section 3.1.5
			w.Raw(" (MODSEQ ").Number(uint64(highestOf(hits))).Raw(")")
		}
		w.CRLF()
		return
	}

	w.Raw(`* ESEARCH (TAG "`).Raw(s.tag).Byte('"')
	if c.multi {
		m := r.sel.Mailbox()
		w.Raw(" MAILBOX ").Mailbox(m.Name).Raw(" UIDVALIDITY ").Number(uint64(m.UIDValidity))
	}
	w.Byte(')')
	if c.uid {
		w.Raw(" UID")
	}
	c.respondItems(w, hits)
}

// number returns what a response calls a message.
func (c *search) number(h searchHit) uint32 {
	if c.uid {
		return uint32(h.uid)
	}
	return uint32(h.seq)
}

// respondItems writes the return data of an ESEARCH response and its end.
func (c *search) respondItems(w *wire.Writer, hits []searchHit) {
	if len(hits) > 0 {
		if c.ret.min {
			w.Raw(" MIN ").Number(uint64(c.number(hits[0])))
		}
		if c.ret.max {
			w.Raw(" MAX ").Number(uint64(c.number(hits[len(hits)-1])))
		}
		if c.ret.all {
			w.Raw(" ALL ")
			set := setWriter{w: w}
			for _, h := range hits {
				set.add(c.number(h))
			}
			set.close()
		}
	}
	if p := c.ret.partial; p != (partialRange{}) {
		from, to := p.of(len(hits))
		writePartial(w, p, func(yield func(uint32) bool) {
			for _, h := range hits[from:to] {
				if !yield(c.number(h)) {
					return
				}
			}
		})
	}
	if c.ret.count {
		w.Raw(" COUNT ").Number(uint64(len(hits)))
	}
	if c.program.modseq && len(hits) > 0 {
		if n := c.ret.modSeq(hits); n > 0 {
			w.Raw(" MODSEQ ").Number(uint64(n))
		}
	}
	w.CRLF()
}

// modSeq returns the MODSEQ result option: the highest of the messages returned (RFC 4731 section 3.2), 0 when none is. There
// are hits.
func (r searchReturn) modSeq(hits []searchHit) metadata.ModSeq {
	if r.all || r.count {
		return highestOf(hits)
	}
	var n metadata.ModSeq
	if r.partial != (partialRange{}) {
		from, to := r.partial.of(len(hits))
		n = highestOf(hits[from:to])
	}
	if r.min {
		n = max(n, hits[0].modseq)
	}
	if r.max {
		n = max(n, hits[len(hits)-1].modseq)
	}
	return n
}

func highestOf(hits []searchHit) metadata.ModSeq {
	var n metadata.ModSeq
	for i := range hits {
		n = max(n, hits[i].modseq)
	}
	return n
}
