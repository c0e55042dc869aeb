package sieve

import "slices"

// extension is the name of a capability, as "require" has it.
type extension string

const (
	extBody              extension = "body"
	extCopy              extension = "copy"
	extDate              extension = "date"
	extDuplicate         extension = "duplicate"
	extEditheader        extension = "editheader"
	extEnclose           extension = "enclose"
	extEncodedCharacter  extension = "encoded-character"
	extEnotify           extension = "enotify"
	extEnvelope          extension = "envelope"
	extEnvironment       extension = "environment"
	extEreject           extension = "ereject"
	extExtlists          extension = "extlists"
	extExtracttext       extension = "extracttext"
	extFcc               extension = "fcc"
	extFileinto          extension = "fileinto"
	extForeverypart      extension = "foreverypart"
	extIhave             extension = "ihave"
	extImap4flags        extension = "imap4flags"
	extImapsieve         extension = "imapsieve"
	extInclude           extension = "include"
	extIndex             extension = "index"
	extMailbox           extension = "mailbox"
	extMailboxid         extension = "mailboxid"
	extMboxmetadata      extension = "mboxmetadata"
	extMime              extension = "mime"
	extRegex             extension = "regex"
	extReject            extension = "reject"
	extRelational        extension = "relational"
	extReplace           extension = "replace"
	extServermetadata    extension = "servermetadata"
	extSpamtest          extension = "spamtest"
	extSpamtestplus      extension = "spamtestplus"
	extSpecialUse        extension = "special-use"
	extSubaddress        extension = "subaddress"
	extVacation          extension = "vacation"
	extVacationSeconds   extension = "vacation-seconds"
	extVariables         extension = "variables"
	extVirustest         extension = "virustest"
	extComparatorNumeric extension = "comparator-i;ascii-numeric"
	extComparatorOctet   extension = "comparator-i;octet"
	extComparatorASCII   extension = "comparator-i;ascii-casemap"
	extComparatorUnicode extension = "comparator-i;unicode-casemap"
)

// allExtensions is every capability of the interpreter, in the order in which it is announced.
var allExtensions = []extension{
	extBody, extComparatorNumeric, extComparatorUnicode, extCopy, extDate, extDuplicate, extEditheader, extEnclose,
	extEncodedCharacter, extEnotify, extEnvelope, extEnvironment, extEreject, extExtlists, extExtracttext, extFcc, extFileinto,
	extForeverypart, extIhave, extImap4flags, extImapsieve, extInclude, extIndex, extMailbox, extMailboxid, extMboxmetadata,
	extMime, extRegex, extReject, extRelational, extReplace, extServermetadata, extSpamtest, extSpamtestplus, extSpecialUse,
	extSubaddress, extVacation, extVacationSeconds, extVariables, extVirustest,
}

// Extensions returns every capability a script may require, as the SIEVE capability of ManageSieve lists them (RFC 5804
// section 1.7). The comparators that RFC 5228 section 2.7.3 always has are not among them, though a script may require them.
func Extensions() []string {
	out := make([]string, len(allExtensions))
	for i, e := range allExtensions {
		out[i] = string(e)
	}
	return out
}

// NotifyMethods returns the notification methods built in, as the NOTIFY capability of ManageSieve lists them. Those of a Host
// come beside them.
func NotifyMethods() []string { return []string{"mailto"} }

// extensionSet returns the capabilities that a script may require.
func extensionSet(allowed []string) map[extension]bool {
	out := map[extension]bool{extComparatorOctet: true, extComparatorASCII: true}
	for _, e := range allExtensions {
		if allowed == nil || slices.Contains(allowed, string(e)) {
			out[e] = true
		}
	}
	return out
}

// impliedBy has the capabilities that another one brings with it: spamtestplus is spamtest and more (RFC 5235 section 2.2),
// vacation-seconds is vacation and more (RFC 6131 section 2), imapsieve the environment test (RFC 6785 section 4.3).
var impliedBy = map[extension][]extension{
	extSpamtestplus:    {extSpamtest},
	extVacationSeconds: {extVacation},
	extImapsieve:       {extEnvironment},
}
