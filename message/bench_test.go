package message

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
)

// typicalMessage is a message of about 4 KB as a mail user agent sends it and two MTAs pass it on.
func typicalMessage() []byte {
	var b bytes.Buffer
	b.WriteString("Received: from mx1.example.org (mx1.example.org [192.0.2.7])\r\n\tby store.example.net (Postfix) with ESMTPS id 4XyZ123\r\n" +
		"\tfor <bob@example.net>; Mon, 23 Nov 2026 19:00:02 +0000 (UTC)\r\n" +
		"Received: from laptop (unknown [198.51.100.23])\r\n\tby mx1.example.org (Postfix) with ESMTPSA id 4XyZ122\r\n\tfor <bob@example.net>; Mon, 23 Nov 2026 19:00:01 +0000 (UTC)\r\n" +
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s1;\r\n\tt=1795460401; h=from:to:subject;\r\n\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=" + strings.Repeat("abcdefgh", 40) + "\r\n" +
		"From: Alice Example <alice@example.org>\r\nTo: Bob Example <bob@example.net>, \"Carol, the third\" <carol@example.com>\r\nCc: dave@example.net\r\n" +
		"Subject: =?utf-8?q?Minutes_of_the_meeting_=E2=80=93_November?=\r\nDate: Mon, 23 Nov 2026 20:00:00 +0100\r\n" +
		"Message-ID: <20261123190000.4XyZ121@laptop.example.org>\r\nIn-Reply-To: <CAF9876543210abcdef@mail.example.net>\r\n" +
		"References: <CAF0123456789abcdef@mail.example.net>\r\n <CAF9876543210abcdef@mail.example.net>\r\nUser-Agent: Mutt/2.2.12 (2023-09-09)\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"=_5f0c1a2b3d4e\"\r\n\r\nThis is a MIME message.\r\n" +
		"--=_5f0c1a2b3d4e\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	for i := range 12 {
		fmt.Fprintf(&b, "%d. An item that was discussed at some length, and what was decided.\r\n", i)
	}
	b.WriteString("--=_5f0c1a2b3d4e\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><body>\r\n")
	for i := range 12 {
		fmt.Fprintf(&b, "<p>%d. An item that was discussed at some length, and what was <b>decided</b>.</p>\r\n", i)
	}
	b.WriteString("</body></html>\r\n--=_5f0c1a2b3d4e--\r\n")
	return b.Bytes()
}

// largeMessage is a message with an attachment of size bytes.
func largeMessage(size int) []byte {
	var b bytes.Buffer
	b.WriteString("From: a@example.org\r\nContent-Type: multipart/mixed; boundary=xyz\r\n\r\n--xyz\r\n\r\nHello\r\n--xyz\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	line := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1, 2, 3}, 19)) + "\r\n"
	for b.Len() < size {
		b.WriteString(line)
	}
	b.WriteString("--xyz--\r\n")
	return b.Bytes()
}

func BenchmarkScanSmall(b *testing.B) {
	raw := typicalMessage()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		Scan(raw)
	}
}

func BenchmarkScanLarge(b *testing.B) {
	raw := largeMessage(8 << 20)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		s := NewScanner()
		for rest := raw; len(rest) > 0; {
			n := min(len(rest), 32<<10)
			_, _ = s.Write(rest[:n])
			rest = rest[n:]
		}
		s.Close()
	}
}

func BenchmarkEncode(b *testing.B) {
	s := Scan(typicalMessage())
	b.ReportMetric(float64(len(s.Encode())), "stored-bytes")
	b.ReportAllocs()
	for b.Loop() {
		s.Encode()
	}
}

func BenchmarkDecode(b *testing.B) {
	stored := Scan(typicalMessage()).Encode()
	prefix := AppendField(AppendField(nil, "Return-Path", "<alice@example.org>"), "Delivered-To", "bob@example.net")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(stored, prefix); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeEnvelope(b *testing.B) {
	stored := Scan(typicalMessage()).Encode()
	prefix := AppendField(AppendField(nil, "Return-Path", "<alice@example.org>"), "Delivered-To", "bob@example.net")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeEnvelope(stored, prefix); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTextOf(b *testing.B) {
	raw := typicalMessage()
	p := Scan(raw).PartByPath([]int{2})
	body := raw[p.BodyOffset:p.End]
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, TextOf(p, bytes.NewReader(body))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeBase64(b *testing.B) {
	raw := largeMessage(1 << 20)
	p := Scan(raw).PartByPath([]int{2})
	body := raw[p.BodyOffset:p.End]
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		_, _ = io.Copy(io.Discard, DecodeTransfer(bytes.NewReader(body), "base64"))
	}
}

// BenchmarkScanAdversarial scans 50 MB that are made to be slow; the time must be in proportion to the size.
func BenchmarkScanAdversarial(b *testing.B) {
	const size = 50 << 20
	nested := func() string {
		var b strings.Builder
		for i := range maxDepth {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%c%c\r\n\r\n--%[1]c%[2]c\r\n", 'a'+i/10, 'a'+i%10)
		}
		return b.String() + "\r\n"
	}()
	for _, bm := range []struct{ name, head, line string }{
		{"dashes under 100 boundaries", nested, "--zz\n"},
		{"short lines under 100 boundaries", nested, "\n"},
		{"almost delimiters", nested, "\n-"},
		{"parts", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\n"},
		{"parts that open and close", "Content-Type: multipart/mixed; boundary=b\n\n", "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\n--c--\n"},
		{"embedded messages", "", "Content-Type: message/rfc822\n\n"},
		{"nested multiparts", "", "Content-Type: multipart/mixed; boundary=b\n\n--b\n"},
		{"header without end", "", "X: y\n"},
		{"kept header without end", "", "To: a@b,<@c,\n \"\n"},
		{"folded header without end", "To: ", "\n (a"},
		{"one line", "Subject: ", "x"},
	} {
		raw := append([]byte(bm.head), bytes.Repeat([]byte(bm.line), (size-len(bm.head))/len(bm.line))...)
		for _, part := range []int{10, 1} {
			raw := raw[:len(raw)/part]
			b.Run(fmt.Sprintf("%s/%dMB", bm.name, len(raw)>>20), func(b *testing.B) {
				b.SetBytes(int64(len(raw)))
				b.ReportAllocs()
				for b.Loop() {
					s := NewScanner()
					for rest := raw; len(rest) > 0; {
						n := min(len(rest), 32<<10)
						_, _ = s.Write(rest[:n])
						rest = rest[n:]
					}
					s.Close()
				}
			})
		}
	}
}
