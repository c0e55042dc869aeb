package mailstore

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	maxKeyword  = 255 // bytes of one keyword
	maxKeywords = 128 // keywords in one request
)

// validKeyword reports whether k is a flag-keyword of RFC 9051 section 9: an atom.
func validKeyword(k string) bool {
	if k == "" || len(k) > maxKeyword {
		return false
	}
	for i := range len(k) {
		if c := k[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]`, c) >= 0 {
			return false
		}
	}
	return true
}

func checkKeywords(op string, keywords []string) error {
	if len(keywords) > maxKeywords {
		return mailerr.New(op, mailerr.Limit, "too many keywords")
	}
	for _, k := range keywords {
		if !validKeyword(k) {
			return mailerr.New(op, mailerr.Invalid, "not a keyword")
		}
	}
	return nil
}

// compareKeywords orders keywords as the metadata keeps them: without regard to case.
func compareKeywords(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}

// joinKeywords returns the valid ones of keywords as a message row has them: sorted, each once, one space between.
func joinKeywords(keywords []string) string {
	if len(keywords) == 0 {
		return ""
	}
	var list []string
	for _, k := range keywords {
		if validKeyword(k) && len(list) < maxKeywords {
			list = append(list, k)
		}
	}
	// Of several spellings the first one stays.
	slices.SortStableFunc(list, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return strings.Join(slices.CompactFunc(list, strings.EqualFold), " ")
}

// applied returns what flags and keywords become by a STORE, keywords in lower case.
func applied(req *StoreFlagsRequest, flags metadata.Flags, keywords string) (metadata.Flags, string) {
	before := flags
	have := strings.Fields(strings.ToLower(keywords))
	had := slices.Clone(have)
	want := strings.Fields(strings.ToLower(joinKeywords(req.Keywords)))
	switch req.Op {
	case metadata.FlagsReplace:
		flags, have = req.Flags, want
	case metadata.FlagsAdd:
		flags |= req.Flags
		have = append(have, want...)
	case metadata.FlagsRemove:
		flags &^= req.Flags
		have = slices.DeleteFunc(have, func(k string) bool { return slices.Contains(want, k) })
	}
	flags = flags&^req.keepFlags | before&req.keepFlags
	if req.keepKeywords {
		have = had
	}
	slices.Sort(have)
	return flags, strings.Join(slices.Compact(have), " ")
}
