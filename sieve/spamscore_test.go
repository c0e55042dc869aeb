package sieve_test

import (
	"testing"

	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/sieve"
)

func TestSpamPercent(t *testing.T) {
	for _, c := range []struct {
		header string
		want   float64 // -1 for none
	}{
		{"X-Spam-Score: 7.5 (spam)\r\n", 50},
		{"X-Spam-Score: -2.1\r\n", 0},
		{"X-Spam-Score: 99\r\n", 100},
		{"X-Spam-Status: Yes, score=15.0 required=5.0 tests=A,\r\n B\r\n", 100},
		{"X-Spam-Level: ***\r\nX-Spam-Flag: YES\r\n", 20},
		{"X-Spam-Level:\r\n", 0},
		{"X-Spam-Flag: YES\r\n", 100},
		{"X-Spam-Score: none\r\nX-Spam-Flag: no\r\n", 0},
		{"Subject: x\r\n", -1},
		{"X-Spam-Flag: perhaps\r\n", -1},
	} {
		got := sieve.SpamPercent(message.Scan([]byte(c.header+"\r\n")).Fields, 15)
		switch {
		case got == nil && c.want >= 0, got != nil && *got != c.want:
			t.Errorf("%q: %v, want %v", c.header, got, c.want)
		}
	}
}
