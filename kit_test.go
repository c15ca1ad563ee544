package volley_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/room"
)

// running is a server that runs for a test, on ports of its own.
type running struct {
	*volley.Server
	tls *tls.Config // for clients; nil: plain
}

// serve runs a server until the test ends, and then wants a clean end of it.
func serve(t testing.TB, cfg volley.Config, kinds ...room.AnyKind) *running {
	t.Helper()
	r := &running{}
	if cfg.TLS != nil {
		r.tls = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate is made for this test
	}
	cfg.Addr, cfg.TCPAddr = "127.0.0.1:0", "127.0.0.1:0"
	r.Server = volley.New(cfg, kinds...)
	require.NoError(t, r.Listen())
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return r
}

// url returns the server's address for a transport, "ws" or "tcp", with the s of TLS where it is due.
func (r *running) url(transport string) string {
	secure := ""
	if r.tls != nil {
		secure = "s"
	}
	if transport == "ws" {
		return "ws" + secure + "://" + r.Addr().String() + "/volley"
	}
	return "tcp" + secure + "://" + r.TCPAddr().String()
}

// once is for clients whose first connection is their last.
var once = client.Reconnect{Off: true}

// dial connects until the test ends, or the connection does.
func (r *running) dial(t testing.TB, transport string, auth any) *client.Client {
	t.Helper()
	c, err := client.Dial(within(t), r.url(transport), client.Config{Auth: auth, TLS: r.tls, Reconnect: once})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// within returns a context that ends long after a healthy test.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// certificate returns a server's TLS configuration with a fresh certificate.
func certificate(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// bothWays runs a test on a plain server and on one with TLS.
func bothWays(t *testing.T, test func(t *testing.T, cfg volley.Config)) {
	t.Run("plain", func(t *testing.T) { test(t, volley.Config{}) })
	t.Run("tls", func(t *testing.T) { test(t, volley.Config{TLS: certificate(t)}) })
}

func itoa(n int) string { return strconv.Itoa(n) }

func fromHex(s string) string {
	n, _ := strconv.ParseUint(s, 16, 32)
	return strconv.FormatUint(n, 10)
}
