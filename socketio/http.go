package socketio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
)

// Handshake is how a client came: the first request of its session.
type Handshake struct {
	Address string      // the socket's, host and port
	Time    time.Time   // of the request
	Header  http.Header // of the request, cookies included
	URL     *url.URL    // of the request, with its query
	Host    string      // that it was made to
	Secure  bool        // over TLS
	XDomain bool        // by a page of another origin

	auth []byte // what the client gave to the namespace, as msgpack; nil: nothing
}

// Auth decodes what the client gave as auth for this namespace into *v, which stays as it is if it gave nothing.
func (h *Handshake) Auth(v any) error {
	if len(h.auth) == 0 {
		return nil
	}
	return codec.Into(h.auth, v)
}

// with is the handshake of a socket whose client gave auth.
func (h *Handshake) with(auth []byte) *Handshake {
	if len(auth) == 0 {
		return h
	}
	own := *h
	own.auth = auth
	return &own
}

func handshakeOf(r *http.Request) *Handshake {
	origin := r.Header.Get("Origin")
	return &Handshake{
		Address: strings.Clone(r.RemoteAddr), Time: time.Now(), Header: maps.Clone(r.Header), URL: r.URL, Host: r.Host,
		Secure: r.TLS != nil, XDomain: origin != "" && !strings.HasSuffix(origin, "://"+r.Host),
	}
}

// refusal is why a request is not served, as Engine.IO says it.
type refusal struct {
	status  int
	Code    int    `json:"code"`
	Message string `json:"message"`
}

var (
	unknownTransport = &refusal{http.StatusBadRequest, 0, "Transport unknown"}
	unknownSession   = &refusal{http.StatusBadRequest, 1, "Session ID unknown"}
	badMethod        = &refusal{http.StatusBadRequest, 2, "Bad handshake method"}
	badRequest       = &refusal{http.StatusBadRequest, 3, "Bad request"}
	forbidden        = &refusal{http.StatusForbidden, 4, "Forbidden: pages of this Origin may not connect; see Config.AllowOrigins"}
	twoPolls         = &refusal{http.StatusBadRequest, 3, "Bad request"}
	badVersion       = &refusal{http.StatusBadRequest, 5, "Unsupported protocol version: this server speaks Engine.IO 4"}
	tooManySessions  = &refusal{http.StatusServiceUnavailable, 6, "The server takes no more sessions, or none of your address"}
	tooLong          = &refusal{http.StatusRequestEntityTooLarge, 7, "The body is longer than maxPayload"}
	tooFast          = &refusal{http.StatusTooManyRequests, 8, "Too many packets or bytes a second"}
)

func (s *Server) refuse(w http.ResponseWriter, why *refusal) {
	s.counts.rejected.Add(1)
	body, _ := json.Marshal(why) // it cannot fail
	w.Header().Set("Content-Type", "application/json")
	if why.status == http.StatusServiceUnavailable || why.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(why.status)
	_, _ = w.Write(body)
}

// serve serves one request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.origin(r) {
		s.refuse(w, forbidden)
		return
	}
	s.allow(w.Header(), r)
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	q := r.URL.Query()
	transport, sid := q.Get("transport"), q.Get("sid")
	switch {
	case q.Get("EIO") != "4":
		s.refuse(w, badVersion)
	case !s.serves(transport):
		s.refuse(w, unknownTransport)
	case transport == "websocket":
		s.upgrade(w, r, sid)
	case sid == "" && r.Method != http.MethodGet:
		s.refuse(w, badMethod)
	case sid == "":
		s.open(w, r)
	default:
		s.request(w, r, sid)
	}
}

// allow says to the browser whose page asks that it may read the answer. Cookies come along only where the origin was named.
func (s *Server) allow(h http.Header, r *http.Request) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	if s.cfg.CheckOrigin == nil && slices.Contains(s.cfg.AllowOrigins, "*") {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Add("Vary", "Origin")
	}
	if r.Method != http.MethodOptions {
		return
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Content-Type")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "600")
}

// upgrade serves a WebSocket.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, sid string) {
	if !headerHas(r.Header, "Upgrade", "websocket") {
		s.refuse(w, badRequest)
		return
	}
	if sid != "" {
		if ses := s.sessions.get(sid); ses == nil {
			s.refuse(w, unknownSession)
			return
		}
	}
	s.engine.ServeHTTP(w, r)
}

func headerHas(h http.Header, name, token string) bool {
	return slices.ContainsFunc(strings.Split(h.Get(name), ","), func(part string) bool {
		return strings.EqualFold(strings.TrimSpace(part), token)
	})
}

// openPacket is the first packet of a session.
func (s *Server) openPacket(ses *session) []byte {
	upgrades := []string{}
	if ses.conn == nil && s.serves("websocket") {
		upgrades = append(upgrades, "websocket")
	}
	b, _ := json.Marshal(struct { // it cannot fail
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"`
		PingTimeout  int64    `json:"pingTimeout"`
		MaxPayload   int      `json:"maxPayload"`
	}{ses.id, upgrades, s.cfg.PingInterval.Milliseconds(), s.cfg.PingTimeout.Milliseconds(), s.cfg.MaxPayload})
	return append([]byte{'0'}, b...)
}

// open makes a session that polls.
func (s *Server) open(w http.ResponseWriter, r *http.Request) {
	ses := s.newSession(handshakeOf(r), s.addressOf(r))
	if ses == nil {
		s.refuse(w, tooManySessions)
		return
	}
	ses.mu.Lock()
	ses.poll = make(chan struct{}, 1)
	ses.mu.Unlock()
	if !answer(w, s.openPacket(ses)) {
		ses.end(reasonTransport)
	}
}

// addressOf is the address that a request counts under; the zero Addr does not count.
func (s *Server) addressOf(r *http.Request) netip.Addr {
	if s.cfg.ClientAddr != nil {
		return netio.AddressKey(s.cfg.ClientAddr(r))
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.IsLoopback() || ip.Unmap().IsLoopback() {
		return netip.Addr{}
	}
	return netio.AddressKey(ip)
}

// answer answers a GET.
func answer(w http.ResponseWriter, body []byte) bool {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("Cache-Control", "no-store")
	_, err := w.Write(body)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	return err == nil || errors.Is(err, http.ErrNotSupported)
}

// request serves a request of a session that polls.
func (s *Server) request(w http.ResponseWriter, r *http.Request, sid string) {
	ses := s.sessions.get(sid)
	if ses != nil {
		ses.swept(s.now()) // its time may have run out since the last round
	}
	switch {
	case ses == nil:
		s.refuse(w, unknownSession)
	case ses.poll == nil:
		s.refuse(w, badRequest) // it began as a WebSocket
	case r.Method == http.MethodGet:
		ses.get(w, r)
	case r.Method == http.MethodPost:
		ses.post(w, r)
	default:
		s.refuse(w, badRequest)
	}
}

// get is a poll: it waits for something to send.
func (s *session) get(w http.ResponseWriter, r *http.Request) {
	// A server in front may bound a request's time; pings end it in time.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.srv.cfg.PingInterval + s.srv.cfg.PingTimeout))
	if why := s.beginPoll(); why != nil {
		if why == twoPolls {
			s.end(reasonTransport) // which of them is to get what?
		}
		s.srv.refuse(w, why)
		return
	}
	body, last := s.awaited(r.Context())
	sent := answer(w, body)
	s.mu.Lock()
	s.polling = false
	s.mu.Unlock()
	switch {
	case last:
		s.srv.sessions.remove(s)
	case !sent:
		s.end(reasonTransport)
	default:
		s.drained()
	}
}

// beginPoll takes the place of the session's GET, or says why there is none.
func (s *session) beginPoll() *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.conn != nil:
		return badRequest
	case s.why != "" && len(s.out) == 0 && !s.parting:
		return unknownSession
	case s.polling:
		return twoPolls
	}
	s.polling = true
	return nil
}

// awaited waits for something to send. last: after it the session is done with.
func (s *session) awaited(ctx context.Context) (body []byte, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.out) == 0 && s.why == "" && s.conn == nil && !s.probed {
		s.mu.Unlock()
		select {
		case <-s.poll:
		case <-ctx.Done():
			s.end(reasonClose)
		}
		s.mu.Lock()
	}
	body, s.out = s.out, nil
	last = s.why != "" && !(s.parting && len(body) > 0) // else the client is to read that before it hears of the end
	switch {
	case len(body) > 0:
	case s.why == "" || s.why == reasonClose:
		body = []byte("6") // the client is moving to a WebSocket, or has closed
	default:
		body = []byte("1")
	}
	return body, last
}

// post brings packets.
func (s *session) post(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.why != "" || s.posting || s.conn != nil {
		twice := s.why == "" && s.conn == nil
		s.mu.Unlock()
		if twice {
			s.end(reasonTransport) // two at once: which of them comes first?
		}
		s.srv.refuse(w, badRequest)
		return
	}
	s.posting = true
	s.mu.Unlock()
	refused, err := s.body(w, r)
	s.mu.Lock()
	s.posting = false
	twice := s.why == reasonTransport // another one has come meanwhile
	s.mu.Unlock()
	switch {
	case err != nil:
		s.fail(err)
		s.srv.refuse(w, badRequest)
	case refused != nil:
		s.end(reasonTransport)
		s.srv.refuse(w, refused)
	case twice:
		s.srv.refuse(w, badRequest)
	default:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "ok")
	}
}

// body takes the packets of a POST.
func (s *session) body(w http.ResponseWriter, r *http.Request) (*refusal, error) {
	cfg := &s.srv.cfg
	if r.ContentLength > int64(cfg.MaxPayload) {
		return tooLong, nil
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(cfg.PingTimeout))
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(r.Body, int64(cfg.MaxPayload)+1)); err != nil {
		return badRequest, nil
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	if b.Len() > cfg.MaxPayload {
		return tooLong, nil
	}
	s.readMu.Lock()
	defer s.readMu.Unlock()
	now := s.srv.now()
	if !take(&s.paidBytes, now, int64(b.Len()), cfg.BytesPerSecond, cfg.bytesBurst()) {
		return tooFast, nil
	}
	return nil, splitPayload(b.Bytes(), cfg.MaxPackets, func(binary bool, packet []byte) error {
		if !take(&s.paidMsgs, now, 1, cfg.MessagesPerSecond, 2*cfg.MessagesPerSecond) {
			return errRate
		}
		return s.packet(packet, !binary)
	})
}

// take uses n tokens of a bucket of which *paid is when they will have come, as netio counts; false: there are not that many.
func take(paid *int64, now, n int64, perSecond, burst int) bool {
	if perSecond < 0 {
		return true
	}
	const second = int64(time.Second)
	p := max(*paid, now) + n*second/int64(perSecond)
	if p-now > int64(burst)*second/int64(perSecond) {
		return false
	}
	*paid = p
	return true
}
