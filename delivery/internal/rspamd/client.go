package rspamd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Class is what a message is.
type Class string

const (
	Spam Class = "spam"
	Ham  Class = "ham"
)

// timeout bounds one request.
const timeout = time.Minute

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// Client is a controller.
type Client struct {
	url, password string
	http          *http.Client
}

// New returns a Client. c is nil for one with a connection of its own for each request.
func New(url, password string, c *http.Client) *Client {
	if c == nil {
		c = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	}
	return &Client{strings.TrimSuffix(url, "/"), password, c}
}

// Refused is the answer that a message cannot be learned, now or ever: it is too short, for instance.
type Refused struct{ Text string }

func (e *Refused) Error() string { return "rspamd refuses to learn: " + e.Text }

// Learn gives a message of size bytes to the controller. nil when it was learned, also before. A *Refused; any other error is trouble
// on the way, or with the controller or its password.
func (c *Client) Learn(ctx context.Context, class Class, message io.Reader, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/learn"+string(class), message)
	if err != nil {
		return fmt.Errorf("rspamd: %w", err)
	}
	req.ContentLength = size
	if c.password != "" {
		req.Header.Set("Password", c.password)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("rspamd: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch code := res.StatusCode; {
	case code == http.StatusOK, code == http.StatusAlreadyReported: // learned before
		return nil
	case err == nil && (code == http.StatusNoContent || code == http.StatusBadRequest || code == http.StatusNotFound || code == http.StatusRequestEntityTooLarge):
		// Nothing can be learned from it: too few words, no header, too large, or the classifier's conditions forbid it.
		return &Refused{answer(res, body)}
	}
	return fmt.Errorf("rspamd: %s", answer(res, body))
}

// answer returns what the controller says is wrong.
func answer(res *http.Response, body []byte) string {
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &said) == nil && said.Error != "" {
		return res.Status + ": " + said.Error
	}
	return res.Status
}
