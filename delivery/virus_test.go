package delivery_test

import (
	"testing"

	"github.com/rookery-mail/rookery/delivery"
)

func TestVirus(t *testing.T) {
	for head, want := range map[string]int{
		"":                                  0,
		"Subject: X-Virus-Status: Clean":    0,
		"X-Virus-Status: Clean\r\n":         1,
		"X-Virus-Status : clean\n":          1,
		"x-virus-status:\r\n clean\r\n\r\n": 1,
		"X-Virus-Status: No\r\n":            1,
		"X-Virus-Status: Not scanned\r\n":   0,
		"X-Virus-Status: Infected (Eicar-Test-Signature)\r\n":                                              5,
		"X-Virus-Status: Clean\r\nX-Virus-Status: Infected\r\n":                                            1, // the scanner's stands above the sender's
		"X-Virus-Status: unknown\r\nX-Virus-Status: Infected\r\n":                                          0,
		"A: b\r\n\r\nX-Virus-Status: Infected\r\n":                                                         0, // the body
		"X-Virus-Scanned: Debian amavisd-new at mx.example.org\r\n":                                        1,
		"X-Virus-Scanned: amavis at x\r\nX-Amavis-Alert: INFECTED, message contains virus:\r\n\tEicar\r\n": 5,
		"X-Virus: Eicar\r\n":       5,
		"X-Virus: Clean\r\n":       1,
		"X-Virus: scan failed\r\n": 0,
		"X-Spamd-Result: default: False [4.00 / 15.00];\r\n\tCLAM_VIRUS(0.00)[Eicar];\r\n\tR_SPF_ALLOW(-0.20)[+a]\r\nA: b\r\n": 5,
		"X-Spamd-Result: default: False [4.00 / 15.00];\r\n\tCLAM_VIRUS_FAIL(0.00)[timeout]\r\n":                               0,
		"X-Virus-Scanned": 0,
	} {
		if got := delivery.Virus([]byte(head), delivery.DefaultVerdicts); got != want {
			t.Errorf("%q: %d, want %d", head, got, want)
		}
	}
	own := []delivery.Verdict{{Field: "X-Scan", Pattern: "a*b*c", Value: 3}, {Field: "X-Scan", Pattern: "*", Value: 2}, {Field: "X-Scan", Pattern: "x", Value: 5}}
	for value, want := range map[string]int{"abc": 3, "A--B--C": 3, "ab": 2, "ac": 2, "acb": 2, "": 2, "x": 2} {
		if got := delivery.Virus([]byte("X-Scan: "+value+"\r\n"), own); got != want {
			t.Errorf("%q: %d, want %d", value, got, want)
		}
	}
	if got := delivery.Virus([]byte("X-Virus-Status: Infected\r\n"), []delivery.Verdict{}); got != 0 {
		t.Errorf("without verdicts %d", got)
	}
}

func TestVirustest(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `require ["virustest", "relational", "comparator-i;ascii-numeric", "fileinto", "mailbox", "ihave"];
if not ihave "virustest" { error "no virustest"; }
if virustest :value "ge" :comparator "i;ascii-numeric" "4" { fileinto :create "Quarantine"; }
elsif virustest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto :create "Unscanned"; }`)
	e.send(mail("ill", "X-Virus-Status: Infected (x)"), "user@example.org")
	e.send(mail("well", "X-Virus-Status: Clean"), "user@example.org")
	e.send(mail("unknown"), "user@example.org")
	e.wantContent(u, "INBOX: well; Quarantine: ill; Unscanned: unknown")
}
