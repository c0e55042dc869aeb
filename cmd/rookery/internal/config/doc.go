// Package config reads Rookery's configuration: one TOML file, and an environment variable for every key.
//
// One table (keys.go) is all there is to know about a key: name, default, what it must look like, what it is for. Parsing,
// the example file and the names of environment variables come from it. The environment goes before the file, the file
// before the defaults. Nothing is passed over: an unknown key, in the file or in a variable that begins with ROOKERY_, a
// value of another form and an unreadable file are errors that name the file, the line, the key and what was expected. All of
// them are reported at once. Values that may hold credentials are never repeated in an error.
package config
