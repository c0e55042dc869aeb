package message

import "testing"

func TestSamples(t *testing.T) {
	for name, raw := range samples(t) {
		if err := checkMessage(raw, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
