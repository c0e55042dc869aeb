package message

import "strings"

// fieldUse says what a header field is needed for; a field may have several uses.
type fieldUse uint8

const (
	useKept     fieldUse = 1 << iota // held in Structure.Fields
	useMIME                          // describes the part
	useEnvelope                      // is part of the ENVELOPE
)

// fieldID names the fields that are interpreted; all others are otherField.
type fieldID uint8

const (
	otherField fieldID = iota
	fieldDate
	fieldSubject
	fieldFrom
	fieldSender
	fieldReplyTo
	fieldTo
	fieldCc
	fieldBcc
	fieldInReplyTo
	fieldMessageID
	fieldContentType
	fieldContentEncoding
	fieldContentDisposition
	fieldContentID
	fieldContentDescription
	fieldContentMD5
	fieldContentLanguage
	fieldContentLocation
)

type fieldInfo struct {
	id  fieldID
	use fieldUse
}

// knownFields has every field with a use, by its name in lower case. Beside the ENVELOPE and BODYSTRUCTURE fields these
// are the ones that clients list in HEADER.FIELDS. Fields of the list-* family are all kept. Received and signatures are
// long, and nobody lists them before opening a message.
var knownFields = map[string]fieldInfo{
	"date":        {fieldDate, useKept | useEnvelope},
	"subject":     {fieldSubject, useKept | useEnvelope},
	"from":        {fieldFrom, useKept | useEnvelope},
	"sender":      {fieldSender, useKept | useEnvelope},
	"reply-to":    {fieldReplyTo, useKept | useEnvelope},
	"to":          {fieldTo, useKept | useEnvelope},
	"cc":          {fieldCc, useKept | useEnvelope},
	"bcc":         {fieldBcc, useKept | useEnvelope},
	"in-reply-to": {fieldInReplyTo, useKept | useEnvelope},
	"message-id":  {fieldMessageID, useKept | useEnvelope},

	"content-type":              {fieldContentType, useKept | useMIME},
	"content-transfer-encoding": {fieldContentEncoding, useKept | useMIME},
	"content-disposition":       {fieldContentDisposition, useKept | useMIME},
	"content-id":                {fieldContentID, useKept | useMIME},
	"content-description":       {fieldContentDescription, useKept | useMIME},
	"content-md5":               {fieldContentMD5, useKept | useMIME},
	"content-language":          {fieldContentLanguage, useKept | useMIME},
	"content-location":          {fieldContentLocation, useKept | useMIME},

	"apparently-to":               {otherField, useKept},
	"auto-submitted":              {otherField, useKept},
	"content-class":               {otherField, useKept},
	"delivered-to":                {otherField, useKept},
	"disposition-notification-to": {otherField, useKept},
	"envelope-to":                 {otherField, useKept},
	"errors-to":                   {otherField, useKept},
	"followup-to":                 {otherField, useKept},
	"importance":                  {otherField, useKept},
	"keywords":                    {otherField, useKept},
	"lines":                       {otherField, useKept},
	"mail-followup-to":            {otherField, useKept},
	"mail-reply-to":               {otherField, useKept},
	"mailing-list":                {otherField, useKept},
	"mime-version":                {otherField, useKept},
	"newsgroups":                  {otherField, useKept},
	"organization":                {otherField, useKept},
	"original-recipient":          {otherField, useKept},
	"originator":                  {otherField, useKept},
	"precedence":                  {otherField, useKept},
	"priority":                    {otherField, useKept},
	"references":                  {otherField, useKept},
	"resent-date":                 {otherField, useKept},
	"resent-from":                 {otherField, useKept},
	"resent-message-id":           {otherField, useKept},
	"resent-to":                   {otherField, useKept},
	"return-path":                 {otherField, useKept},
	"return-receipt-to":           {otherField, useKept},
	"sensitivity":                 {otherField, useKept},
	"status":                      {otherField, useKept},
	"thread-index":                {otherField, useKept},
	"thread-topic":                {otherField, useKept},

	"x-beenthere":                     {otherField, useKept},
	"x-calendar-attachment":           {otherField, useKept},
	"x-confirm-reading-to":            {otherField, useKept},
	"x-draft-info":                    {otherField, useKept},
	"x-forwarded-message-id":          {otherField, useKept},
	"x-k9mail-identity":               {otherField, useKept},
	"x-label":                         {otherField, useKept},
	"x-list":                          {otherField, useKept},
	"x-loop":                          {otherField, useKept},
	"x-mailer":                        {otherField, useKept},
	"x-mailing-list":                  {otherField, useKept},
	"x-mozilla-draft-info":            {otherField, useKept},
	"x-mozilla-keys":                  {otherField, useKept},
	"x-mozilla-status":                {otherField, useKept},
	"x-mozilla-status2":               {otherField, useKept},
	"x-msmail-priority":               {otherField, useKept},
	"x-original-to":                   {otherField, useKept},
	"x-priority":                      {otherField, useKept},
	"x-spam-flag":                     {otherField, useKept},
	"x-spam-level":                    {otherField, useKept},
	"x-spam-score":                    {otherField, useKept},
	"x-spam-status":                   {otherField, useKept},
	"x-status":                        {otherField, useKept},
	"x-uniform-type-identifier":       {otherField, useKept},
	"x-universally-unique-identifier": {otherField, useKept},
	"user-agent":                      {otherField, useKept},
}

// longestKnown is the length of the longest name in knownFields; list-* names longer than it are kept too.
const longestKnown = 32

// lookupField returns what a field is used for. Name in any case.
func lookupField[T string | []byte](name T) fieldInfo {
	var lower [longestKnown]byte
	n := min(len(name), len(lower))
	for i := range n {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	if n > 5 && string(lower[:5]) == "list-" {
		return fieldInfo{use: useKept}
	}
	if n < len(name) {
		return fieldInfo{}
	}
	return knownFields[string(lower[:n])]
}

// KeptField reports whether Structure.Fields holds every occurrence of the field, so that HEADER.FIELDS and SEARCH HEADER
// for it need no read of the message. Name in any case. It says so of a message whose Structure is Complete; of another,
// any field may have been cut or left out.
func KeptField(name string) bool { return lookupField(name).use&useKept != 0 }

// Value returns the field's value without white space around it, unfolded and without NUL, as DecodeHeader takes it.
func (f Field) Value() string { return unfold(string(fieldValue(f.Raw))) }

// fieldValue returns what follows the colon of a raw field.
func fieldValue[T string | []byte](raw T) T {
	for i := range len(raw) {
		if raw[i] == ':' {
			return raw[i+1:]
		}
	}
	return raw[len(raw):]
}

// fieldNameLen returns the length of the field name that a header line begins with, 0 when the line is not a field.
// RFC 5322 section 4.5 allows white space before the colon; bytes above 127 are let pass.
func fieldNameLen(line []byte) int {
	for i, c := range line {
		switch {
		case c == ':':
			return i
		case c == ' ' || c == '\t':
			for _, c := range line[i:] {
				if c == ':' {
					return i
				}
				if c != ' ' && c != '\t' {
					return 0
				}
			}
			return 0
		case c < ' ' || c == 0x7f:
			return 0
		}
	}
	return 0
}

// unfold returns a field's value on one line (RFC 5322 section 2.2.3), trimmed: line ends go, a tab after one becomes a
// space, a CR elsewhere becomes a space, NUL goes. The result has no CR, LF or NUL.
func unfold(s string) string {
	s = trimSpace(s)
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 && strings.IndexByte(s, 0) < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case 0:
		case '\r':
			if i+1 >= len(s) || s[i+1] != '\n' {
				out = append(out, ' ')
			}
		case '\n':
			if i+1 < len(s) && s[i+1] == '\t' {
				out = append(out, ' ')
				i++
			}
		default:
			out = append(out, c)
		}
	}
	return trimSpace(string(out))
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// trimSpace removes RFC 5322 white space and line ends, and no other, from both ends.
func trimSpace(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}
