package lmtpd

import (
	"fmt"
	"log/slog"
	"strings"
)

// libraryLog takes go-smtp's log lines: panics in a command, and errors of connections.
type libraryLog struct{ log *slog.Logger }

// Printf implements smtp.Logger.
func (l libraryLog) Printf(format string, v ...any) {
	text := strings.TrimSpace(fmt.Sprintf(format, v...))
	if strings.HasPrefix(format, "panic") {
		l.log.Error("lmtp panic", "detail", text)
		return
	}
	l.log.Debug("lmtp", "detail", text)
}

// Println implements smtp.Logger.
func (l libraryLog) Println(v ...any) {
	l.log.Debug("lmtp", "detail", strings.TrimSpace(fmt.Sprintln(v...)))
}
