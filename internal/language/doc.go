// Package language says in other languages what the servers say to people: the texts after status responses of IMAP
// (RFC 5255) and POP3 (RFC 6856), never what programs read.
//
// English is the language of the source: a text is looked up by its English wording, so that the source reads like the
// protocol. What has no translation stays English. languagetest proves for a package that everything it says has one.
package language
