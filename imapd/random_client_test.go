package imapd

import (
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// message is what a client knows of a message.
type knownMessage struct {
	flags  string // sorted, without \Recent; "?" when not known
	modseq uint64
}

// strictClient is a client that checks every response against what it was told before.
type strictClient struct {
	conn net.Conn
	in   *bufio.Reader
	out  io.Writer
	defl *flate.Writer
	log  []string
	tags int

	condstore, qresync, uidOnly, rev2, utf8, compressed bool

	mailbox  string // "" when none is selected
	validity uint32
	count    int
	uids     []uint32 // by sequence number, 0 where not known; not with UIDONLY
	known    map[uint32]*knownMessage
	gone     map[uint32]bool // told to be expunged
	keywords map[string]bool // told by FLAGS
	modseq   uint64          // up to which it knows everything, with QRESYNC
	contexts map[string]*knownContext

	pending map[string]string // commands by tag
	seqs    map[string]bool   // of those, the ones during which no EXPUNGE may come
	done    map[string]*reply
	other   []*reply // untagged responses of the last burst
	results []uint32 // of the last ESEARCH with ALL
	bye     bool
}

// knownContext is a UID SEARCH whose results are told on.
type knownContext struct {
	keys string
	uids map[uint32]bool
	off  bool
}

var errBye = errors.New("BYE")

func (c *strictClient) reset() {
	c.mailbox, c.count, c.uids, c.modseq = "", 0, nil, 0
	c.known, c.gone = map[uint32]*knownMessage{}, map[uint32]bool{}
	c.keywords, c.contexts = map[string]bool{}, map[string]*knownContext{}
}

func newStrictClient(conn net.Conn) (*strictClient, error) {
	c := &strictClient{conn: conn, in: bufio.NewReader(conn), out: conn, pending: map[string]string{}, seqs: map[string]bool{}}
	c.reset()
	r, err := c.read()
	if err == nil && !strings.HasPrefix(r.raw, "* OK ") {
		err = fmt.Errorf("greeting %q", r.raw)
	}
	return c, err
}

func (c *strictClient) read() (*reply, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	r, err := readReply(c.in)
	if err == nil {
		c.log = append(c.log, fmt.Sprintf("S: %.300s", strings.TrimSpace(r.raw)))
	}
	return r, err
}

func (c *strictClient) write(s string) error {
	c.log = append(c.log, fmt.Sprintf("C: %.300s", strings.TrimSpace(s)))
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := io.WriteString(c.out, s)
	if err == nil && c.defl != nil {
		err = c.defl.Flush()
	}
	return err
}

func (c *strictClient) compress() {
	c.compressed = true
	c.in = bufio.NewReader(flate.NewReader(c.in))
	c.defl, _ = flate.NewWriter(c.conn, flate.BestSpeed)
	c.out = c.defl
}

// command is one command of a burst.
type sent struct {
	line string
	seqs bool // FETCH, STORE, SEARCH, ... by sequence number
}

// run sends commands at once and reads until all are completed.
func (c *strictClient) run(cmds ...sent) ([]*reply, error) {
	c.done, c.other = map[string]*reply{}, nil
	var lines strings.Builder
	tags := make([]string, len(cmds))
	for i, cmd := range cmds {
		c.tags++
		tags[i] = "t" + strconv.Itoa(c.tags)
		c.pending[tags[i]] = cmd.line
		if cmd.seqs {
			c.seqs[tags[i]] = true
		}
		lines.WriteString(tags[i] + " " + cmd.line + "\r\n")
	}
	if err := c.write(lines.String()); err != nil {
		return nil, err
	}
	for len(c.pending) > 0 {
		r, err := c.read()
		if err != nil {
			if c.bye {
				return nil, errBye
			}
			return nil, err
		}
		if err := c.take(r); err != nil {
			return nil, err
		}
		if c.bye && len(c.pending) == 0 {
			return nil, errBye
		}
	}
	out := make([]*reply, len(tags))
	for i := range tags {
		out[i] = c.done[tags[i]]
		if code := out[i].code; code == "SERVERBUG" || code == "UNAVAILABLE" {
			return nil, fmt.Errorf("%s: %s", cmds[i].line, out[i].raw)
		}
	}
	return out, nil
}

// one runs one command.
func (c *strictClient) one(seqs bool, format string, args ...any) (*reply, error) {
	out, err := c.run(sent{fmt.Sprintf(format, args...), seqs})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func (c *strictClient) ok(format string, args ...any) error {
	r, err := c.one(false, format, args...)
	if err == nil && r.items[1] != atom("OK") {
		err = errors.New(r.raw)
	}
	return err
}

// take checks a response and applies it to what is known.
func (c *strictClient) take(r *reply) error {
	if strings.HasPrefix(r.raw, "+ ") {
		return fmt.Errorf("nobody asked for %q", r.raw)
	}
	if tag := string(r.items[0].(atom)); tag != "*" {
		line, ok := c.pending[tag]
		if !ok {
			return fmt.Errorf("no such command: %q", r.raw)
		}
		delete(c.pending, tag)
		delete(c.seqs, tag)
		if strings.Contains(line, ".SILENT ") {
			for _, m := range c.known { // it may be any of them
				m.flags = "?"
			}
		}
		c.done[tag] = r
		if r.items[1] == atom("BAD") && !noMailboxForURL(line, r) {
			return fmt.Errorf("%s: %s", line, r.raw)
		}
		return c.takeCode(r)
	}
	err := c.untagged(r)
	if err != nil {
		err = fmt.Errorf("%.200q: %w", r.raw, err)
	}
	return err
}

// noMailboxForURL reports whether a command is refused with BAD as RFC 4467 section 7 has it for a mailbox that is not there.
func noMailboxForURL(command string, r *reply) bool {
	return strings.HasPrefix(command, "GENURLAUTH ") && strings.HasSuffix(r.raw, " BAD No such mailbox")
}

func (c *strictClient) takeCode(r *reply) error {
	name, arg, _ := strings.Cut(r.code, " ")
	switch name {
	case "HIGHESTMODSEQ":
		n, err := strconv.ParseUint(arg, 10, 63)
		if err != nil {
			return err
		}
		c.modseq = n
	case "UIDVALIDITY":
		n, err := strconv.ParseUint(arg, 10, 32)
		c.validity = uint32(n)
		return err
	case "CLOSED":
		if c.mailbox == "" {
			return errors.New("nothing was selected")
		}
		c.reset()
	case "UNSEEN":
		if c.rev2 || c.uidOnly {
			return errors.New("UNSEEN")
		}
	case "NOUPDATE":
		if x := c.contexts[strings.Trim(arg, `"`)]; x != nil {
			x.off = true
		}
	}
	return nil
}

func number(v any) (uint32, error) {
	a, ok := v.(atom)
	if !ok {
		return 0, fmt.Errorf("no number: %v", v)
	}
	n, err := strconv.ParseUint(string(a), 10, 32)
	return uint32(n), err
}

func (c *strictClient) untagged(r *reply) error {
	c.other = append(c.other, r)
	word := r.items[1].(atom)
	if n, err := strconv.ParseUint(string(word), 10, 32); err == nil {
		if len(r.items) < 3 {
			return errors.New("a number and nothing else")
		}
		return c.numbered(uint32(n), r)
	}
	switch word {
	case "BYE":
		c.bye = true
	case "OK", "NO":
		return c.takeCode(r)
	case "FLAGS":
		c.keywords = map[string]bool{}
		for _, f := range r.items[2].([]any) {
			c.keywords[strings.ToLower(string(f.(atom)))] = true
		}
	case "VANISHED":
		return c.vanished(r)
	case "SEARCH", "SORT":
		if c.rev2 && word == "SEARCH" {
			return errors.New("SEARCH with IMAP4rev2")
		}
		for _, v := range r.items[2:] {
			if list, ok := v.([]any); ok && len(list) == 2 && list[0] == atom("MODSEQ") {
				continue
			}
			n, err := number(v)
			if err != nil {
				return err
			}
			if err := c.found(n, !c.seqsRunning()); err != nil {
				return err
			}
		}
	case "ESEARCH":
		return c.esearch(r)
	case "RECENT", "EXISTS", "EXPUNGE", "FETCH":
		return errors.New("a number is missing")
	}
	return nil
}

func (c *strictClient) seqsRunning() bool { return len(c.seqs) > 0 }

// found checks a result of a search: it must be a message that the client knows, or can know.
func (c *strictClient) found(n uint32, uid bool) error {
	if n == 0 || !uid && (int(n) > c.count || c.uidOnly) {
		return fmt.Errorf("found message %d of %d", n, c.count)
	}
	if uid && c.gone[n] {
		return fmt.Errorf("found UID %d, which was expunged", n)
	}
	if uid && c.known[n] == nil && !c.hasUnknown() {
		return fmt.Errorf("found UID %d, which was not told of", n)
	}
	return nil
}

// hasUnknown reports whether there are messages whose UIDs the client does not know.
func (c *strictClient) hasUnknown() bool { return len(c.known) < c.count }

func (c *strictClient) numbered(n uint32, r *reply) error {
	if c.mailbox == "" && !c.selecting() {
		return errors.New("nothing is selected")
	}
	switch r.items[2] {
	case atom("EXISTS"):
		if int(n) < c.count {
			return fmt.Errorf("there were %d", c.count)
		}
		c.count = int(n)
		for len(c.uids) < c.count {
			c.uids = append(c.uids, 0)
		}
	case atom("RECENT"):
		if c.rev2 {
			return errors.New("RECENT with IMAP4rev2")
		}
	case atom("EXPUNGE"):
		if c.qresync || c.uidOnly || n == 0 || int(n) > c.count || c.seqsRunning() || len(c.pending) == 0 {
			return fmt.Errorf("EXPUNGE with %d messages, while %v run", c.count, c.pending)
		}
		if uid := c.uids[n-1]; uid != 0 {
			c.forget(uid)
		}
		c.count--
		c.uids = slices.Delete(c.uids, int(n)-1, int(n))
	case atom("FETCH"), atom("UIDFETCH"):
		if (r.items[2] == atom("UIDFETCH")) != c.uidOnly {
			return errors.New("FETCH and UIDFETCH")
		}
		if len(r.items) != 4 {
			return errors.New("one list expected")
		}
		list, ok := r.items[3].([]any)
		if !ok || len(list)%2 != 0 || len(list) == 0 {
			return errors.New("pairs expected")
		}
		return c.fetched(n, list)
	default:
		return errors.New("what is that?")
	}
	return nil
}

func (c *strictClient) forget(uid uint32) {
	delete(c.known, uid)
	c.gone[uid] = true
}

var keywordless = regexp.MustCompile(`^\\`)

func (c *strictClient) fetched(n uint32, list []any) error {
	uid, seq := n, 0
	if !c.uidOnly {
		seq = int(n)
		if seq == 0 || seq > c.count {
			return fmt.Errorf("there are %d messages", c.count)
		}
		uid = c.uids[seq-1]
	}
	var flags string
	var modseq uint64
	hasFlags := false
	for i := 0; i < len(list); i += 2 {
		name, ok := list[i].(atom)
		if !ok {
			return errors.New("an item has no name")
		}
		switch name {
		case "UID":
			u, err := number(list[i+1])
			if err != nil || u == 0 || uid != 0 && u != uid {
				return fmt.Errorf("its UID was %d", uid)
			}
			uid = u
		case "FLAGS":
			hasFlags = true
			var all []string
			for _, f := range list[i+1].([]any) {
				s := string(f.(atom))
				if s == `\Recent` {
					if c.rev2 {
						return errors.New("Recent with IMAP4rev2")
					}
					continue
				}
				if !keywordless.MatchString(s) && !c.keywords[strings.ToLower(s)] {
					return fmt.Errorf("FLAGS did not name %s", s)
				}
				all = append(all, s)
			}
			slices.Sort(all)
			flags = strings.Join(all, " ")
		case "MODSEQ":
			l, ok := list[i+1].([]any)
			if !ok || len(l) != 1 {
				return errors.New("MODSEQ without a list")
			}
			var err error
			if modseq, err = strconv.ParseUint(string(l[0].(atom)), 10, 63); err != nil || modseq == 0 {
				return fmt.Errorf("MODSEQ: %w", err)
			}
			if !c.condstore {
				return errors.New("MODSEQ for who does not know it")
			}
		}
	}
	if uid == 0 {
		return nil
	}
	if c.gone[uid] {
		return fmt.Errorf("UID %d was expunged", uid)
	}
	if err := c.place(seq, uid); err != nil {
		return err
	}
	m := c.known[uid]
	if modseq != 0 && modseq < m.modseq {
		return fmt.Errorf("MODSEQ of UID %d was %d", uid, m.modseq)
	}
	if hasFlags && modseq != 0 && modseq == m.modseq && m.flags != "?" && m.flags != flags {
		return fmt.Errorf("UID %d had flags %q with the same MODSEQ", uid, m.flags)
	}
	if modseq != 0 {
		if modseq > m.modseq && !hasFlags {
			m.flags = "?"
		}
		m.modseq = modseq
		c.modseq = max(c.modseq, modseq)
	}
	if hasFlags {
		m.flags = flags
	}
	return nil
}

// place records that a message has a UID.
func (c *strictClient) place(seq int, uid uint32) error {
	if c.known[uid] == nil {
		if !c.hasUnknown() {
			return fmt.Errorf("UID %d is one message too many", uid)
		}
		c.known[uid] = &knownMessage{flags: "?"}
	}
	if c.uidOnly {
		return nil
	}
	if was := c.uids[seq-1]; was != 0 && was != uid {
		return fmt.Errorf("message %d had UID %d", seq, was)
	}
	c.uids[seq-1] = uid
	last := uint32(0)
	for _, u := range c.uids {
		if u != 0 && u <= last {
			return fmt.Errorf("UIDs do not ascend: %v", c.uids)
		}
		last = max(last, u)
	}
	return nil
}

func parseSet(s string) ([]uint32, error) {
	var out []uint32
	for part := range strings.SplitSeq(s, ",") {
		a, b, ok := strings.Cut(part, ":")
		if !ok {
			b = a
		}
		first, err := strconv.ParseUint(a, 10, 32)
		if err != nil || first == 0 {
			return nil, fmt.Errorf("set %q", s)
		}
		last, err := strconv.ParseUint(b, 10, 32)
		if err != nil || last < first || last-first > 1e6 {
			return nil, fmt.Errorf("set %q", s)
		}
		for n := first; n <= last; n++ {
			out = append(out, uint32(n))
		}
	}
	return out, nil
}

func (c *strictClient) vanished(r *reply) error {
	if !c.qresync && !c.uidOnly || c.mailbox == "" && !c.selecting() {
		return errors.New("not enabled, or nothing selected")
	}
	items := r.items[2:]
	earlier := false
	if list, ok := items[0].([]any); ok {
		earlier = len(list) == 1 && list[0] == atom("EARLIER")
		if !earlier || !c.qresync {
			return errors.New("EARLIER")
		}
		items = items[1:]
	}
	uids, err := parseSet(string(items[0].(atom)))
	if err != nil || len(items) != 1 {
		return fmt.Errorf("set: %w", err)
	}
	if earlier {
		for _, u := range uids {
			if c.known[u] != nil {
				return fmt.Errorf("UID %d is there", u)
			}
			c.gone[u] = true
		}
		return nil
	}
	if c.seqsRunning() || len(c.pending) == 0 {
		return fmt.Errorf("while %v run", c.pending)
	}
	for _, u := range uids {
		switch {
		case c.gone[u]:
			return fmt.Errorf("UID %d was gone", u)
		case c.known[u] == nil && !c.hasUnknown():
			return fmt.Errorf("UID %d was never there", u)
		}
		if !c.uidOnly {
			i := slices.Index(c.uids, u)
			if i < 0 { // one of those not known, where it can be
				i = slices.IndexFunc(c.uids, func(known uint32) bool { return known > u })
				if i < 0 {
					i = len(c.uids)
				}
				if i--; i >= 0 && c.uids[i] != 0 {
					i = -1
				}
			}
			if i < 0 {
				return fmt.Errorf("UID %d has no place", u)
			}
			c.uids = slices.Delete(c.uids, i, i+1)
		}
		c.count--
		c.forget(u)
	}
	return nil
}

// esearch checks an ESEARCH response.
func (c *strictClient) esearch(r *reply) error {
	items := r.items[2:]
	tag, elsewhere := "", false
	if len(items) > 0 {
		if list, ok := items[0].([]any); ok {
			items = items[1:]
			for i := 0; i+1 < len(list); i += 2 {
				switch list[i] {
				case atom("TAG"):
					tag = string(list[i+1].(text))
				case atom("MAILBOX"):
					elsewhere = true
				}
			}
		}
	}
	if _, running := c.pending[tag]; !running && c.contexts[tag] == nil {
		return fmt.Errorf("nothing has tag %q", tag)
	}
	uid := len(items) > 0 && items[0] == atom("UID")
	if uid {
		items = items[1:]
	}
	if len(items)%2 != 0 {
		return errors.New("pairs expected")
	}
	for i := 0; i < len(items); i += 2 {
		var ns []uint32
		var err error
		switch name := items[i].(atom); name {
		case "MIN", "MAX":
			var n uint32
			n, err = number(items[i+1])
			ns = []uint32{n}
		case "ALL":
			ns, err = parseSet(string(items[i+1].(atom)))
		case "PARTIAL":
			if list := items[i+1].([]any); list[1] != atom("NIL") {
				ns, err = parseSet(string(list[1].(atom)))
			}
		case "COUNT":
			var n uint32
			if n, err = number(items[i+1]); err == nil && !elsewhere && int(n) > c.count {
				err = fmt.Errorf("%d of %d", n, c.count)
			}
		case "MODSEQ":
			if !c.condstore {
				err = errors.New("MODSEQ for who does not know it")
			}
		case "ADDTO", "REMOVEFROM":
			if err = c.update(tag, name, items[i+1].([]any)); err != nil {
				return err
			}
		default:
			err = fmt.Errorf("what is %s?", name)
		}
		if err != nil {
			return err
		}
		if elsewhere {
			continue
		}
		for _, n := range ns {
			if err := c.found(n, uid); err != nil {
				return err
			}
		}
		if x := c.contexts[tag]; x != nil && items[i] == atom("ALL") {
			for _, n := range ns {
				x.uids[n] = true
			}
		}
		if uid && items[i] == atom("ALL") {
			c.results = ns
		}
	}
	return nil
}

// update applies ADDTO and REMOVEFROM.
func (c *strictClient) update(tag string, name atom, pairs []any) error {
	x := c.contexts[tag]
	if x == nil || x.off || len(pairs)%2 != 0 {
		return errors.New("no such context")
	}
	for i := 0; i < len(pairs); i += 2 {
		ns, err := parseSet(string(pairs[i+1].(atom)))
		if err != nil {
			return err
		}
		for _, n := range ns {
			if x.uids[n] == (name == "ADDTO") {
				return fmt.Errorf("context %s (%s): %d is or is not in it already: %v", tag, x.keys, n, slices.Sorted(maps.Keys(x.uids)))
			}
			if name == "ADDTO" {
				x.uids[n] = true
			} else {
				delete(x.uids, n)
			}
			if err := c.found(n, true); err != nil {
				return err
			}
		}
	}
	return nil
}
