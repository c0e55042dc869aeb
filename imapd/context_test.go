package imapd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// contextClient keeps the results of searches with UPDATE as RFC 5267 tells a client to.
type contextClient struct {
	t       *testing.T
	results map[string][]int // by tag
	uid     map[string]bool  // results are UIDs
}

// take applies responses.
func (c *contextClient) take(responses string) {
	for line := range strings.SplitSeq(responses, "\n") {
		f := strings.Fields(line)
		if len(f) == 3 && f[2] == "EXPUNGE" {
			c.expunge(f[1])
		}
		rest, ok := strings.CutPrefix(line, `* ESEARCH (TAG "`)
		if !ok {
			continue
		}
		tag, rest, _ := strings.Cut(rest, `")`)
		rest = strings.TrimPrefix(rest, " UID")
		for rest != "" {
			op, args, _ := strings.Cut(strings.TrimPrefix(rest, " "), " (")
			var pairs string
			pairs, rest, ok = strings.Cut(args, ")")
			if op != "ADDTO" && op != "REMOVEFROM" || !ok {
				break // the search's own answer
			}
			words := strings.Fields(pairs)
			for i := 0; i+1 < len(words); i += 2 {
				c.apply(tag, op, atoi(c.t, words[i]), numbersIn(c.t, words[i+1]))
			}
		}
	}
}

func (c *contextClient) expunge(seq string) {
	n := atoi(c.t, seq)
	for tag, list := range c.results {
		if c.uid[tag] {
			continue
		}
		for i := range list {
			if list[i] == n {
				c.t.Errorf("%s: %d is expunged and was not removed", tag, n)
			}
			if list[i] > n {
				list[i]--
			}
		}
	}
}

func (c *contextClient) apply(tag, op string, at int, numbers []int) {
	list := c.results[tag]
	for _, n := range numbers {
		switch {
		case op == "ADDTO" && at == 0:
			if slices.Contains(list, n) {
				c.t.Errorf("%s: %d is added twice", tag, n)
			}
			list = append(list, n)
			slices.Sort(list)
		case op == "ADDTO":
			list = slices.Insert(list, at-1, n)
			at++
		case at == 0:
			if !slices.Contains(list, n) {
				c.t.Errorf("%s: %d is removed and was not there", tag, n)
			}
			list = slices.DeleteFunc(list, func(have int) bool { return have == n })
		default:
			if at > len(list) || list[at-1] != n {
				c.t.Fatalf("%s: %d is not at %d of %v", tag, n, at, list)
			}
			list = slices.Delete(list, at-1, at)
		}
	}
	c.results[tag] = list
}

// numbersIn returns the numbers of a sequence set in its order.
func numbersIn(t *testing.T, set string) (all []int) {
	if set == "" || set == "NIL" {
		return nil
	}
	for r := range strings.SplitSeq(set, ",") {
		first, last, ok := strings.Cut(r, ":")
		if !ok {
			last = first
		}
		for n := atoi(t, first); n <= atoi(t, last); n++ {
			all = append(all, n)
		}
	}
	return all
}

// Whatever two sessions do, what a client makes of the updates is what a new search finds.
func TestContextModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	b := newBed(t)
	subject := func() string { return raw(fmt.Sprintf("Subject: %c", 'a'+r.IntN(6)), "", pick(r, "needle", "hay")) }
	for range 20 {
		b.append(subject())
	}
	a, other := b.session("SELECT INBOX"), b.session("SELECT INBOX")
	client := &contextClient{t: t, results: map[string][]int{}, uid: map[string]bool{}}
	searches := map[string]string{}
	for _, command := range []string{
		"SEARCH RETURN (%s) UNSEEN", "UID SEARCH RETURN (%s) KEYWORD work", "UID SORT RETURN (%s) (SUBJECT REVERSE ARRIVAL) UTF-8 UNDELETED",
		"SORT RETURN (%s) (REVERSE SUBJECT) UTF-8 UNSEEN BODY needle", "SEARCH RETURN (%s) OR BODY needle FLAGGED",
	} {
		all := allOf(a.do(fmt.Sprintf(command, "UPDATE ALL")))
		tag := "t" + strconv.Itoa(a.n)
		client.results[tag], client.uid[tag] = numbersIn(t, all), strings.HasPrefix(command, "UID")
		searches[tag] = fmt.Sprintf(command, "ALL")
	}
	for step := range 400 {
		actor := pick(r, a, other)
		n := 1 + r.IntN(25)
		if n > int(actor.s.sel.NumMessages()) {
			n = 1
		}
		if actor.s.sel.NumMessages() == 0 || r.IntN(4) == 0 {
			b.append(subject())
		}
		command := pick(r, "NOOP", "SEARCH ALL",
			fmt.Sprintf("STORE %d %sFLAGS (%s)", n, pick(r, "+", "-", ""), pick(r, `\Seen`, `\Deleted`, `\Flagged`, "work", `\Seen work`)),
			fmt.Sprintf("STORE 1:%d %sFLAGS.SILENT (%s)", n, pick(r, "+", "-"), pick(r, `\Seen`, `\Flagged`, "work")),
			fmt.Sprintf("UID STORE 1:* %sFLAGS (%s)", pick(r, "+", "-"), pick(r, `\Seen`, "work")),
			"EXPUNGE", "FETCH 1 BODY[]")
		responses := actor.do(command)
		if actor == a {
			client.take(responses)
		}
		if step%10 > 0 {
			continue
		}
		client.take(a.do("NOOP"))
		for tag, search := range searches {
			responses := a.do(search)
			client.take(responses)
			if want := numbersIn(t, allOf(responses)); !slices.Equal(client.results[tag], want) {
				t.Fatalf("step %d: %s: updates make %v, want %v", step, search, client.results[tag], want)
			}
		}
	}
}

// allOf returns the set behind ALL of an ESEARCH response.
func allOf(responses string) string {
	_, rest, _ := strings.Cut(responses, " ALL ")
	set, _, _ := strings.Cut(rest, "\n")
	return set
}
