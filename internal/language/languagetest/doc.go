// Package languagetest proves that what a package says to people has been translated.
package languagetest
