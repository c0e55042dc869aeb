package directory

import (
	"strconv"
	"testing"
	"time"
)

func TestLoginCache(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	c := newLoginCache(func() time.Time { return now })
	k := c.key("user", "pass")
	if c.holds(k, "h1") {
		t.Error("empty cache holds a login")
	}
	c.add(k, "h1")
	if !c.holds(k, "h1") {
		t.Error("forgotten")
	}
	for _, other := range [][2]string{{"user", "Pass"}, {"userp", "ass"}, {"use", "rpass"}, {"", "userpass"}} {
		if c.holds(c.key(other[0], other[1]), "h1") {
			t.Errorf("%v is taken for another login", other)
		}
	}
	if c.holds(k, "h2") || c.holds(k, "h1") {
		t.Error("a changed hash must end the entry")
	}
	c.add(k, "h1")
	now = now.Add(loginCacheTime - time.Second)
	if !c.holds(k, "h1") {
		t.Error("forgotten too early")
	}
	now = now.Add(time.Second)
	if c.holds(k, "h1") {
		t.Error("use extends the time")
	}
	if newLoginCache(time.Now).key("user", "pass") == k {
		t.Error("keys of two processes are equal")
	}
}

func TestLoginCacheIsBounded(t *testing.T) {
	c := newLoginCache(time.Now)
	first := c.key("first", "")
	c.add(first, "h")
	for i := range loginCacheSize + 10 {
		if i == loginCacheSize/2 && !c.holds(first, "h") { // a use, which keeps it
			t.Fatal("dropped early")
		}
		c.add(c.key(strconv.Itoa(i), ""), "h")
	}
	if len(c.byKey) != loginCacheSize || c.order.Len() != loginCacheSize {
		t.Errorf("%d entries", len(c.byKey))
	}
	if !c.holds(first, "h") || c.holds(c.key("0", ""), "h") {
		t.Error("not the longest unused entry was dropped")
	}
}
