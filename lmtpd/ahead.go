package lmtpd

import (
	"bytes"
	"context"
	"strings"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailerr"
)

// maxAhead bounds how many recipients are resolved together: a full input buffer holds no more that matter.
const maxAhead = 1000

// ahead returns the paths of the RCPT commands that have come in behind the present command (RFC 2920): all recipients of a
// transaction whose client pipelines. Those that are no plain path in angle brackets are left out; they are resolved when it
// is their turn.
func (c *conn) ahead() []string {
	in, _ := c.in.Peek(c.in.Buffered()) // it is buffered
	var paths []string
	for len(paths) < maxAhead {
		i := bytes.IndexByte(in, '\n')
		if i < 0 {
			break
		}
		line := in[:i]
		in = in[i+1:]
		const command = "RCPT TO:<"
		if len(line) < len(command) || !strings.EqualFold(string(line[:len(command)]), command) {
			break
		}
		path, _, ok := bytes.Cut(line[len(command):], []byte(">"))
		if ok && !bytes.ContainsAny(path, "\"\\<,: ") {
			paths = append(paths, string(path))
		}
	}
	return paths
}

// targets returns where a path leads. Paths that follow are asked for in the same round trips.
func (s *session) targets(path string) ([]directory.Target, error) {
	if r, ok := s.known[path]; ok {
		return r.Targets, r.Err
	}
	paths := []string{path}
	asked := map[string]bool{path: true}
	for _, p := range s.conn.ahead() {
		if _, known := s.known[p]; !known && !asked[p] && isPath(p) {
			asked[p] = true
			paths = append(paths, p)
		}
	}
	ctx, cancel := context.WithTimeout(s.conn.ctx, s.srv.cfg.ResolveTimeout)
	defer cancel()
	all := s.srv.cfg.Directory.ResolveAll(ctx, paths)
	if len(all) != len(paths) {
		return nil, mailerr.New("lmtpd.Rcpt", mailerr.Internal, "")
	}
	if s.known == nil {
		s.known = make(map[string]directory.Resolution, len(paths))
	}
	for i, p := range paths {
		// What failed for reasons of ours is worth another try when it is its turn.
		if all[i].Err == nil || mailerr.Is(all[i].Err, mailerr.NotFound) {
			s.known[p] = all[i]
		}
	}
	return all[0].Targets, all[0].Err
}
