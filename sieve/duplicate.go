package sieve

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// defaultDuplicate is how long an id is remembered when the script does not say (RFC 7352 section 3.2).
const defaultDuplicate = 7 * 24 * time.Hour

func init() {
	testSpecs["duplicate"] = &spec{
		ext: extDuplicate, usage: `duplicate [:handle <name>] [:header <name> / :uniqueid <value>] [:seconds <number>] [:last]`,
		tags: []tagSpec{
			{name: "handle", arg: argString}, {name: "header", arg: argString, group: "id"},
			{name: "uniqueid", arg: argString, group: "id"}, {name: "seconds", arg: argNumber}, {name: "last"},
		},
		test: func(c *compiler, b *bound) test {
			out := &duplicateTest{handle: c.textOf(b.tags["handle"].value), lifetime: defaultDuplicate, last: b.has("last")}
			if t, ok := b.tags["header"]; ok {
				s := c.textOf(t.value)
				out.header = &s
			}
			if t, ok := b.tags["uniqueid"]; ok {
				s := c.textOf(t.value)
				out.unique = &s
			}
			if t, ok := b.tags["seconds"]; ok {
				out.lifetime = time.Duration(min(t.value.number, int64(c.limits.DuplicateMax/time.Second))) * time.Second
			}
			return out
		},
	}
}

type duplicateTest struct {
	handle         text
	header, unique *text
	lifetime       time.Duration
	last           bool
}

func (t *duplicateTest) eval(vm *machine) (bool, error) {
	if t.lifetime == 0 {
		return false, nil
	}
	value, ok, err := t.value(vm)
	if err != nil || !ok {
		return false, err
	}
	if err := vm.charge(hostSteps); err != nil {
		return false, err
	}
	id := DuplicateID{Handle: shortID(t.handle.get(vm)), Value: shortID(value)}
	found, err := vm.host.Duplicate(vm.ctx, id)
	if err != nil {
		return false, hostError("Duplicate", err)
	}
	if !found || t.last {
		mark := DuplicateMark{ID: id, For: t.lifetime}
		if !slices.Contains(vm.duplicates, mark) {
			if len(vm.duplicates) >= vm.limits.Actions {
				return false, vm.failf(vm.pos, "the script remembers more than %d ids", vm.limits.Actions)
			}
			vm.duplicates = append(vm.duplicates, mark)
		}
	}
	return found, nil
}

// value returns what identifies the message; ok is false when there is nothing (RFC 7352 section 3.1).
func (t *duplicateTest) value(vm *machine) (value string, ok bool, err error) {
	if t.unique != nil {
		return t.unique.get(vm), true, nil
	}
	name := "message-id"
	if t.header != nil {
		name = asciiLower(t.header.get(vm))
	}
	h, err := vm.doc.header()
	if err != nil || !validFieldName(name) || !h.has(name) {
		return "", false, err
	}
	return h.first(name), true, nil
}

// shortID replaces what is too long to be stored by its hash.
func shortID(s string) string {
	if len(s) <= 1024 {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}
