package client

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxHead is the longest head of an answer to an upgrade.
const maxHead = 16 << 10

// upgrade makes conn a WebSocket and returns the bytes that came after the server's answer.
func upgrade(conn net.Conn, u *url.URL, header http.Header) (rest []byte, err error) {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // it never fails
	key := base64.StdEncoding.EncodeToString(raw[:])
	if _, err := conn.Write(upgradeRequest(u, header, key)); err != nil {
		return nil, err
	}
	head, rest, err := readHead(conn)
	if err != nil {
		return nil, err
	}
	//nolint:bodyclose // the body is the connection, which the caller closes
	answer, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader(rest), conn)), nil)
	if err != nil {
		return nil, fmt.Errorf("the server's answer is not HTTP: %w", err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		_ = conn.SetReadDeadline(time.Now().Add(grace))
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 512))
		return nil, &UpgradeError{answer.StatusCode, strings.TrimSpace(strings.ToValidUTF8(string(text), "\uFFFD"))}
	}
	return rest, checkAnswer(answer.Header, key)
}

func upgradeRequest(u *url.URL, header http.Header, key string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", u.RequestURI(), hostHeader(u, header))
	h := header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if u.User != nil && h.Get("Authorization") == "" {
		password, _ := u.User.Password()
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	for _, ours := range []string{
		"Host", "Content-Length", "Transfer-Encoding", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol",
	} {
		h.Del(ours)
	}
	h.Set("Upgrade", "websocket")
	h.Set("Connection", "Upgrade")
	h.Set("Sec-WebSocket-Version", "13")
	h.Set("Sec-WebSocket-Key", key)
	_ = h.Write(&b)
	b.WriteString("\r\n")
	return b.Bytes()
}

func hostHeader(u *url.URL, header http.Header) string {
	if host := header.Get("Host"); host != "" {
		return host
	}
	return u.Host
}

// readHead reads up to the empty line that ends an HTTP head, and what came with it.
func readHead(conn io.Reader) (head, rest []byte, err error) {
	b := make([]byte, 0, minBuffer)
	for {
		if len(b) == cap(b) {
			b = append(b, make([]byte, len(b))...)[:len(b)]
		}
		n, err := conn.Read(b[len(b):cap(b)])
		from := max(0, len(b)-3)
		b = b[:len(b)+n]
		if i := bytes.Index(b[from:], []byte("\r\n\r\n")); i >= 0 {
			end := from + i + 4
			return b[:end:end], b[end:], nil
		}
		switch {
		case err == io.EOF:
			return nil, nil, fmt.Errorf("the server hung up during the upgrade: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return nil, nil, err
		case len(b) > maxHead:
			return nil, nil, errors.New("the head of the server's answer is too long")
		}
	}
}

// checkAnswer is section 4.1 of RFC 6455.
func checkAnswer(h http.Header, key string) error {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	accept := base64.StdEncoding.EncodeToString(sum[:])
	switch {
	case !hasToken(h, "Upgrade", "websocket"):
		return errors.New("the server's answer does not upgrade to websocket")
	case !hasToken(h, "Connection", "upgrade"):
		return errors.New("the server's answer has no Connection: Upgrade")
	case strings.TrimSpace(h.Get("Sec-WebSocket-Accept")) != accept:
		return errors.New("the server's Sec-WebSocket-Accept is wrong")
	case h.Get("Sec-WebSocket-Extensions") != "":
		return errors.New("the server uses a WebSocket extension that was not offered")
	case h.Get("Sec-WebSocket-Protocol") != "":
		return errors.New("the server uses a WebSocket sub-protocol that was not offered")
	}
	return nil
}

// hasToken reports whether a header that is a list names token, in any case.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
