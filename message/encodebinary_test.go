package message

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestEncodeBinary(t *testing.T) {
	long := strings.Repeat("0123456789", 10)
	for _, test := range []struct{ name, in, want string }{
		{"nothing to do", "Subject: x\r\n\r\nplain\r\n", "Subject: x\r\n\r\nplain\r\n"},
		{"whole message", "Content-Transfer-Encoding: BINARY\r\nX: y\r\n\r\na\x00b\r\n", "Content-Transfer-Encoding: base64\r\nX: y\r\n\r\nYQBiDQo="},
		{"empty body", "Content-Transfer-Encoding: binary\r\n\r\n", "Content-Transfer-Encoding: base64\r\n\r\n"},
		{"header alone", "Content-Transfer-Encoding: binary\r\n", "Content-Transfer-Encoding: base64\r\n"},
		{"folded", "content-transfer-encoding:\r\n binary\r\n\r\n\x00", "Content-Transfer-Encoding: base64\r\n\r\nAA=="},
		{"multipart", "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
			"--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\x00\x01\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b--\r\nend",
			"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
				"--b\r\nContent-Transfer-Encoding: base64\r\n\r\nAAENCg==\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n--b--\r\nend"},
		{"embedded", "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\nSubject: x\r\nContent-Transfer-Encoding: binary\r\n\r\n\x00",
			"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: x\r\nContent-Transfer-Encoding: base64\r\n\r\nAA=="},
		{"lines", "Content-Transfer-Encoding: binary\r\n\r\n" + long, "Content-Transfer-Encoding: base64\r\n\r\n" +
			"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\nNzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OQ=="},
	} {
		for kind, r := range map[string]io.Reader{"whole": strings.NewReader(test.in), "bytes": iotest.OneByteReader(strings.NewReader(test.in))} {
			got, err := io.ReadAll(EncodeBinary(r))
			if err != nil || string(got) != test.want {
				t.Errorf("%s, %s:\n got %q, %v\nwant %q", test.name, kind, got, err, test.want)
			}
		}
	}
	for _, in := range []string{"Subject: \x00\r\n\r\n", "Subject: x\r\n\r\n\x00", "Content-Transfer-Encoding: binary\r\nX: \x00\r\n\r\n"} {
		if got, err := io.ReadAll(EncodeBinary(strings.NewReader(in))); !errors.Is(err, ErrNUL) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	broken := errors.New("broken")
	if _, err := io.ReadAll(EncodeBinary(io.MultiReader(strings.NewReader("X: y\r\n\r\nz"), iotest.ErrReader(broken)))); !errors.Is(err, broken) {
		t.Errorf("error of the reader: %v", err)
	}
}

func FuzzEncodeBinary(f *testing.F) {
	for _, s := range []string{
		"Content-Transfer-Encoding: binary\r\n\r\na\x00b\r\n",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\x00\r\n--b--\r\n",
		"Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/digest; boundary=b\n\n--b\n\nContent-Transfer-Encoding: binary\n\n\x00\n--b--",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := io.ReadAll(EncodeBinary(bytes.NewReader(in)))
		if bytes.IndexByte(out, 0) >= 0 {
			t.Fatal("NUL in the result")
		}
		if err != nil {
			if !errors.Is(err, ErrNUL) || bytes.IndexByte(in, 0) < 0 {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Contains(bytes.ToLower(in), []byte("binary")) && !bytes.Equal(in, out) {
			t.Fatal("changed without need")
		}
		before, after := Scan(in), Scan(out)
		compareDecoded(t, in, out, &before.Root, &after.Root)
	})
}

// compareDecoded compares the leaves that were binary with what has become of them, as long as the trees are alike.
func compareDecoded(t *testing.T, in, out []byte, a, b *Part) {
	t.Helper()
	if a.Encoding == "binary" && len(a.Children) == 0 && b.Encoding == "base64" && len(b.Children) == 0 {
		got, err := io.ReadAll(DecodeTransfer(bytes.NewReader(out[b.BodyOffset:b.End]), b.Encoding))
		if want := in[a.BodyOffset:a.End]; err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%q became %q", want, got)
		}
	}
	if len(a.Children) != len(b.Children) {
		return
	}
	for i := range a.Children {
		compareDecoded(t, in, out, &a.Children[i], &b.Children[i])
	}
}
