package mailerr

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{errors.New("dial tcp: secret.host refused"), Internal},
		{fmt.Errorf("x: %w", context.Canceled), Unavailable},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), Unavailable},
		{fmt.Errorf("x: %w", New("op", OverQuota, "")), OverQuota},
		{Wrap("outer", Unavailable, New("inner", NotFound, "")), Unavailable},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("KindOf(%v) = %v, want %v", c.err, got, c.want)
		}
	}
}

func TestClientTextNeverLeaksCause(t *testing.T) {
	err := Wrap("op", Unavailable, errors.New("dial tcp: secret.host refused"))
	if got := ClientText(err); got != Unavailable.String() {
		t.Errorf("ClientText = %q", got)
	}
	if got := ClientText(errors.New("secret")); got != Internal.String() {
		t.Errorf("ClientText of a plain error = %q", got)
	}
	if got := ClientText(fmt.Errorf("x: %w", New("op", Invalid, "no such charset"))); got != "no such charset" {
		t.Errorf("ClientText = %q", got)
	}
}

func TestWrapNil(t *testing.T) {
	if err := Wrap("op", Internal, nil); err != nil {
		t.Errorf("Wrap(nil) = %v", err)
	}
	if Is(nil, Internal) {
		t.Error("nil is an internal error")
	}
}

func TestEveryKindHasWords(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		if k.String() == "" || seen[k.String()] {
			t.Errorf("kind %d has no words of its own", k)
		}
		seen[k.String()] = true
	}
}
