package uidl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// courierLine reads "<file> <size> <n>:<uidvalidity>", of version 3 with ":<is UTF-8>" behind. Courier's unique-id is UID<n>-<uidvalidity>, or
// without the latter if it is 0, or the file's name if both are.
func courierLine(line string) (Entry, bool, error) {
	if line == "" {
		return Entry{}, false, nil
	}
	bad := errors.New("this is no line of a courierpop3dsizelist")
	words := strings.Fields(line)
	if len(words) != 3 || !isNumber(words[1]) {
		return Entry{}, false, bad
	}
	numbers := strings.Split(words[2], ":")
	if len(numbers) < 2 || len(numbers) > 3 || !isNumber(numbers[0]) || !isNumber(numbers[1]) {
		return Entry{}, false, bad
	}
	e := Entry{file: words[0], Unique: "UID" + numbers[0] + "-" + numbers[1]}
	switch {
	case strings.Trim(numbers[0], "0") == "":
		e.Unique = courierName(words[0])
	case strings.Trim(numbers[1], "0") == "":
		e.Unique = "UID" + numbers[0]
	}
	return e, true, nil
}

// courierName is a file's name as a unique-id.
func courierName(file string) string {
	name, _, _ := strings.Cut(file, ":")
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; c < 0x21 || c > 0x7e || strings.IndexByte(`'"+`, c) >= 0 {
			fmt.Fprintf(&b, "+%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}
