package sieve

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// defaultVacation is how long nobody gets the same answer again when the script does not say (RFC 5230 section 4.1).
const defaultVacation = 7 * 24 * time.Hour

func init() {
	commandSpecs["vacation"] = &spec{
		ext: extVacation, args: []argKind{argString},
		usage: `vacation [:days <number>] [:subject <text>] [:from <address>] [:addresses <addresses>] [:mime] [:handle <name>] <reason>;`,
		tags: tags([]tagSpec{
			{name: "days", arg: argNumber, group: "interval"},
			{name: "seconds", arg: argNumber, ext: extVacationSeconds, group: "interval"},
			{name: "subject", arg: argString}, {name: "from", arg: argString}, {name: "addresses", arg: argList},
			{name: "mime"}, {name: "handle", arg: argString},
		}, fccTags),
		command: compileVacation,
	}
}

type vacationCommand struct {
	interval  time.Duration
	key       string // when there is no handle
	handle    *text
	subject   *text
	from      *text
	addresses []text
	mime      bool
	fcc       *fccArg
	reason    text
}

func compileVacation(c *compiler, b *bound) command {
	v := &vacationCommand{
		interval: defaultVacation, addresses: c.texts(b.tags["addresses"].value), mime: b.has("mime"), fcc: c.fccArg(b),
		reason: c.textOf(b.pos[0]),
	}
	if t, ok := b.tags["days"]; ok {
		v.interval = c.interval(t.value.number, 24*time.Hour)
		v.interval = max(v.interval, min(24*time.Hour, c.limits.VacationMax)) // RFC 5230 section 4.1: no less than a day
	}
	if t, ok := b.tags["seconds"]; ok {
		v.interval = 0 // RFC 6131 section 2: zero stands for itself
		if t.value.number > 0 {
			v.interval = c.interval(t.value.number, time.Second)
		}
	}
	if t, ok := b.tags["handle"]; ok {
		s := c.textOf(t.value)
		v.handle = &s
	}
	if t, ok := b.tags["subject"]; ok {
		s := c.textOf(t.value)
		v.subject = &s
	}
	if t, ok := b.tags["from"]; ok {
		s := c.fromArg(t.value)
		v.from = &s
	}
	if v.mime {
		if s, ok := v.reason.constant(); ok && !isASCII(mimeHeader(s)) {
			c.fail(b.pos[0].pos, "the header of a MIME reason must be in ASCII")
		}
	}
	// RFC 5230 section 4.2: without a handle the arguments name the answer, as they are before variables are put in.
	raw := func(tag string) string {
		if t, ok := b.tags[tag]; ok {
			return "1" + t.value.strings[0].text
		}
		return "0"
	}
	v.key = hashOf("vacation", raw("subject"), raw("from"), fmt.Sprint(v.mime), b.pos[0].strings[0].text)
	return v
}

// interval returns n units within the limits.
func (c *compiler) interval(n int64, unit time.Duration) time.Duration {
	n = min(n, int64(c.limits.VacationMax/unit)+1)
	return max(c.limits.VacationMin, min(time.Duration(n)*unit, c.limits.VacationMax))
}

// hashOf hashes strings so that no two lists of them give the same.
func hashOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (v *vacationCommand) run(vm *machine) error {
	if vm.answered {
		return vm.failf(vm.pos, `"vacation" may run only once in a script`)
	}
	if vm.reject != nil {
		return vm.failf(vm.pos, `"vacation" cannot be combined with "reject"`)
	}
	vm.answered = true
	if err := vm.charge(hostSteps); err != nil {
		return err
	}
	h, err := vm.doc.header()
	if err != nil {
		return err
	}
	own := map[string]string{} // by the address in lower case
	for _, a := range slices.Concat(vm.in.Addresses, []string{vm.in.Envelope.To}, getAll(vm, v.addresses)) {
		if err := vm.charge(20); err != nil {
			return err
		}
		if address, ok := singleAddress(a); ok {
			own[asciiLower(address)] = address
		}
	}
	matched, why := personal(h, vm.in.Envelope.From, own)
	if why != "" {
		vm.noAnswer = why
		return nil
	}
	return v.answer(vm, h, matched)
}

// answer makes the action.
func (v *vacationCommand) answer(vm *machine, h *header, matched string) error {
	out := &Vacation{
		Origin: vm.origin(), Interval: v.interval, Key: v.key, Recipient: vm.in.Envelope.From, From: matched, MIME: v.mime,
		Reason: v.reason.get(vm),
	}
	var err error
	if out.Original, err = vm.original(); err != nil {
		return err
	}
	if v.handle != nil {
		out.Key = hashOf("handle", v.handle.get(vm))
	}
	switch {
	case v.subject != nil:
		out.Subject = strings.TrimSpace(v.subject.get(vm))
	case h.has("subject"):
		out.Subject = "Auto: " + out.Original.Subject
	}
	if out.Subject == "" {
		out.Subject = "Automated reply"
	}
	if v.from != nil {
		from := v.from.get(vm)
		if _, ok := singleAddress(from); !ok {
			return vm.failf(v.from.pos, "%q is no address", cutString(from, 100))
		}
		out.From = from
	}
	if out.FCC, err = v.fcc.get(vm); err != nil {
		return err
	}
	return vm.add(out)
}

// recipientFields are where one of the user's addresses must stand (RFC 5230 section 4.5).
var recipientFields = []string{"to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc"}

// personal decides whether a message is one that a person wrote to the user (RFC 5230 section 4.5 and 4.6, RFC 3834 section
// 2). It returns which of the user's addresses (own, by their lower case) the message was sent to, or why it is not to be
// answered.
func personal(h *header, sender string, own map[string]string) (matched, why string) {
	switch {
	case sender == "":
		return "", "the message has no envelope sender"
	case !validAddress(sender):
		return "", "the envelope sender is no address that can be answered"
	case systemSender(sender):
		return "", "the envelope sender is a mailing list or a program"
	case own[asciiLower(sender)] != "":
		return "", "the message comes from one of the user's own addresses"
	}
	for i := range h.fields {
		f := &h.fields[i]
		value, _, _ := strings.Cut(asciiLower(f.structured()), ";")
		value = strings.TrimSpace(value)
		switch f.name {
		case "auto-submitted":
			if value != "no" {
				return "", "the message was generated automatically (Auto-Submitted)"
			}
		case "list-id", "list-help", "list-subscribe", "list-unsubscribe", "list-post", "list-owner", "list-archive":
			return "", "the message came through a mailing list"
		case "precedence":
			if value == "bulk" || value == "list" || value == "junk" {
				return "", "the message is bulk mail (Precedence)"
			}
		case "x-auto-response-suppress":
			for one := range strings.SplitSeq(value, ",") {
				if one = strings.TrimSpace(one); one == "all" || one == "oof" || one == "autoreply" {
					return "", "the message asks for no automatic answers (X-Auto-Response-Suppress)"
				}
			}
		case "return-path":
			if value == "<>" {
				return "", "the message has no envelope sender"
			}
		}
	}
	for i := range h.fields {
		f := &h.fields[i]
		if !slices.Contains(recipientFields, f.name) {
			continue
		}
		for _, a := range parseAddresses(f.structured()) {
			if o := own[asciiLower(addrSpec(a))]; o != "" {
				return o, ""
			}
		}
	}
	return "", "none of the user's addresses is among the message's recipients"
}

// systemSender reports whether an address belongs to a program.
func systemSender(address string) bool {
	local, _ := partLocal.of(asciiLower(address), "")
	switch local {
	case "mailer-daemon", "listserv", "majordomo", "noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "do_not_reply",
		"bounce", "bounces", "mdaemon", "double-bounce":
		return true
	}
	return strings.HasPrefix(local, "owner-") || strings.HasSuffix(local, "-owner") || strings.HasSuffix(local, "-request") ||
		strings.HasSuffix(local, "-bounces") || strings.Contains(local, "-bounces+") || strings.HasPrefix(local, "bounce+") ||
		strings.HasPrefix(local, "bounces+")
}

// mimeHeader returns the header of a MIME entity.
func mimeHeader(entity string) string {
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if i := strings.Index(entity, end); i >= 0 {
			return entity[:i]
		}
	}
	return entity
}
