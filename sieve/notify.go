package sieve

import (
	"net/url"
	"slices"
	"strings"
)

func init() {
	commandSpecs["notify"] = &spec{
		ext: extEnotify, args: []argKind{argString},
		usage: `notify [:from <address>] [:importance <"1" to "3">] [:options <options>] [:message <text>] <method>;`,
		tags: tags([]tagSpec{
			{name: "from", arg: argString}, {name: "importance", arg: argString}, {name: "options", arg: argList},
			{name: "message", arg: argString},
		}, fccTags),
		command: compileNotify,
	}
	testSpecs["valid_notify_method"] = existsSpec(extEnotify, `valid_notify_method <methods>`,
		func(vm *machine, uri string) (bool, error) {
			_, _, ok, err := vm.notifyMethod(uri)
			return ok, err
		})
	testSpecs["notify_method_capability"] = &spec{
		ext: extEnotify, args: []argKind{argString, argString, argList}, tags: tags(comparatorTags, matchTags),
		usage: `notify_method_capability [:is / :contains / :matches] <method> <capability> <keys>`,
		test: func(c *compiler, b *bound) test {
			return &capabilityTest{c.textOf(b.pos[0]), c.textOf(b.pos[1]), c.matcher(b, b.pos[2])}
		},
	}
}

// notifyMethod reads the URI of a notification; ok is false when nothing can be sent to it.
func (vm *machine) notifyMethod(uri string) (method *url.URL, online string, ok bool, err error) {
	if method = parseURI(uri); method == nil {
		return nil, "", false, nil
	}
	if method.Scheme == "mailto" {
		_, ok := parseMailto(method)
		return method, "maybe", ok, nil
	}
	if err := vm.charge(hostSteps); err != nil {
		return nil, "", false, err
	}
	online, ok, err = vm.host.NotifyMethod(vm.ctx, uri)
	return method, online, ok, hostError("NotifyMethod", err)
}

func parseURI(s string) *url.URL {
	if len(s) > 4096 {
		return nil
	}
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme == "" {
		return nil
	}
	return u
}

type notifyCommand struct {
	method     text
	from       *text
	importance text
	options    []text
	message    text
	fcc        *fccArg
}

func compileNotify(c *compiler, b *bound) command {
	n := &notifyCommand{
		method: c.textOf(b.pos[0]), importance: text{literal: "2"}, options: c.texts(b.tags["options"].value),
		message: c.textOf(b.tags["message"].value), fcc: c.fccArg(b),
	}
	if t, ok := b.tags["from"]; ok {
		s := c.textOf(t.value)
		n.from = &s
	}
	if t, ok := b.tags["importance"]; ok {
		n.importance = c.textOf(t.value)
		if s, ok := n.importance.constant(); ok && s != "1" && s != "2" && s != "3" {
			c.fail(t.value.pos, `":importance" is "1" (high), "2" (normal) or "3" (low), not %q`, s)
		}
	}
	if uri, ok := n.method.constant(); ok {
		u := parseURI(uri)
		if u == nil {
			c.fail(b.pos[0].pos, `%q is no URI; one looks like "mailto:user@example.com"`, uri)
		} else if _, ok := parseMailto(u); u.Scheme == "mailto" && !ok {
			c.fail(b.pos[0].pos, "%q is no valid mailto URI", uri)
		}
	}
	for i, t := range n.options {
		if o, ok := t.constant(); ok && !validOption(o) {
			c.fail(b.tags["options"].value.strings[i].pos, `%q is no option; one looks like "name=value"`, o)
		}
	}
	return n
}

// validOption follows RFC 5435 section 3.5.
func validOption(s string) bool {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" || strings.ContainsAny(value, "\r\n\x00") {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isDigit(c) && (!isLetter(c) || c == '_' && i == 0) && (i == 0 || c != '.' && c != '-') {
			return false
		}
	}
	return true
}

func (n *notifyCommand) run(vm *machine) error {
	uri := n.method.get(vm)
	method, _, ok, err := vm.notifyMethod(uri)
	if err != nil {
		return err
	}
	if !ok {
		return vm.failf(n.method.pos, "notifications cannot be sent to %q", cutString(uri, 200))
	}
	out := &Notify{
		Origin: vm.origin(), Method: method, Text: n.message.get(vm), Sender: vm.in.Envelope.From, To: vm.in.Envelope.To,
	}
	switch importance := n.importance.get(vm); importance {
	case "1", "2", "3":
		out.Importance = int(importance[0] - '0')
	default:
		return vm.failf(n.importance.pos, `":importance" is "1" (high), "2" (normal) or "3" (low), not %q`, cutString(importance, 20))
	}
	if n.from != nil {
		out.From = n.from.get(vm)
		if _, valid := singleAddress(out.From); method.Scheme == "mailto" && !valid {
			return vm.failf(n.from.pos, "%q is no address", cutString(out.From, 100))
		}
	}
	for i := range n.options {
		option := n.options[i].get(vm)
		if !validOption(option) {
			return vm.failf(n.options[i].pos, `%q is no option; one looks like "name=value"`, cutString(option, 100))
		}
		out.Options = append(out.Options, option)
	}
	if out.FCC, err = n.fcc.get(vm); err != nil {
		return err
	}
	h, err := vm.doc.header()
	if err != nil {
		return err
	}
	if method.Scheme == "mailto" && !asciiEqualFold(first(h.first("auto-submitted"), "no"), "no") {
		return nil // RFC 5436 section 2.7: no notification of what was generated
	}
	if out.Original, err = vm.original(); err != nil {
		return err
	}
	same := func(a Action) bool {
		other, ok := a.(*Notify)
		return ok && other.Method.String() == out.Method.String() && other.Text == out.Text && other.From == out.From
	}
	if slices.ContainsFunc(vm.actions, same) {
		return nil
	}
	if vm.notifications++; vm.notifications > vm.limits.Notifications {
		return vm.failf(vm.pos, "the script sends more than %d notifications", vm.limits.Notifications)
	}
	return vm.add(out)
}

// first returns what stands before a semicolon in value, without it what otherwise says.
func first(value, otherwise string) string {
	value, _, _ = strings.Cut(value, ";")
	if value = strings.TrimSpace(value); value == "" {
		return otherwise
	}
	return value
}

type capabilityTest struct {
	method, capability text
	match              *matcher
}

// eval knows "online" and "fcc" (RFC 5435 section 5, RFC 8580 section 4); others and unknown methods are false.
func (t *capabilityTest) eval(vm *machine) (bool, error) {
	method, online, ok, err := vm.notifyMethod(t.method.get(vm))
	if err != nil || !ok {
		return false, err
	}
	var value string
	switch asciiLower(t.capability.get(vm)) {
	case "online":
		value = online
	case "fcc":
		value = "no"
		if method.Scheme == "mailto" {
			value = "yes"
		}
	default:
		return false, nil
	}
	return t.match.any(vm, []string{value})
}
