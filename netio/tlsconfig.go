package netio

import (
	stdtls "crypto/tls"
	"errors"
	"slices"

	"github.com/lesismal/llib/std/crypto/tls"
)

var (
	errNoCertificate = errors.New("netio: the TLS config has neither Certificates nor GetCertificate")
	errTLSConfig     = errors.New("netio: GetConfigForClient and VerifyConnection of the TLS config are not supported here; " +
		"mount the Engine in an http.Server that listens with TLS itself")
)

// convertTLS makes the config of the TLS fork that can run on pollers out of the standard library's. protos are the ALPN
// protocols to offer; nil: those of cfg.
func convertTLS(cfg *stdtls.Config, protos []string) (*tls.Config, error) {
	if len(cfg.Certificates) == 0 && cfg.GetCertificate == nil {
		return nil, errNoCertificate
	}
	if cfg.GetConfigForClient != nil || cfg.VerifyConnection != nil {
		return nil, errTLSConfig
	}
	if protos == nil {
		protos = cfg.NextProtos
	}
	out := &tls.Config{
		Rand:                   cfg.Rand,
		Time:                   cfg.Time,
		VerifyPeerCertificate:  cfg.VerifyPeerCertificate,
		NextProtos:             protos,
		ClientAuth:             tls.ClientAuthType(cfg.ClientAuth),
		ClientCAs:              cfg.ClientCAs,
		CipherSuites:           cfg.CipherSuites,
		SessionTicketsDisabled: cfg.SessionTicketsDisabled,
		MinVersion:             max(cfg.MinVersion, stdtls.VersionTLS12),
		MaxVersion:             cfg.MaxVersion,
		KeyLogWriter:           cfg.KeyLogWriter,
		// A frame is one record where it can be: the small records that the fork begins a connection with are for pages.
		DynamicRecordSizingDisabled: true,
	}
	for i := range cfg.Certificates {
		out.Certificates = append(out.Certificates, convertCertificate(&cfg.Certificates[i]))
	}
	if get := cfg.GetCertificate; get != nil {
		out.GetCertificate = func(info *tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert, err := get(convertHello(info))
			if cert == nil || err != nil {
				return nil, err
			}
			c := convertCertificate(cert)
			return &c, nil
		}
	}
	known := []stdtls.CurveID{stdtls.X25519, stdtls.CurveP256, stdtls.CurveP384, stdtls.CurveP521}
	for _, id := range cfg.CurvePreferences {
		if slices.Contains(known, id) { // the fork has no post-quantum groups
			out.CurvePreferences = append(out.CurvePreferences, tls.CurveID(id))
		}
	}
	return out, nil
}

func convertCertificate(c *stdtls.Certificate) tls.Certificate {
	out := tls.Certificate{
		Certificate:                 c.Certificate,
		PrivateKey:                  c.PrivateKey,
		OCSPStaple:                  c.OCSPStaple,
		SignedCertificateTimestamps: c.SignedCertificateTimestamps,
		Leaf:                        c.Leaf,
	}
	for _, s := range c.SupportedSignatureAlgorithms {
		out.SupportedSignatureAlgorithms = append(out.SupportedSignatureAlgorithms, tls.SignatureScheme(s))
	}
	return out
}

func convertHello(info *tls.ClientHelloInfo) *stdtls.ClientHelloInfo {
	out := &stdtls.ClientHelloInfo{
		CipherSuites:      info.CipherSuites,
		ServerName:        info.ServerName,
		SupportedPoints:   info.SupportedPoints,
		SupportedProtos:   info.SupportedProtos,
		SupportedVersions: info.SupportedVersions,
		Conn:              info.Conn,
	}
	for _, id := range info.SupportedCurves {
		out.SupportedCurves = append(out.SupportedCurves, stdtls.CurveID(id))
	}
	for _, s := range info.SignatureSchemes {
		out.SignatureSchemes = append(out.SignatureSchemes, stdtls.SignatureScheme(s))
	}
	return out
}

// convertState is what a request's handler may want to know of the TLS connection under it.
func convertState(s tls.ConnectionState) *stdtls.ConnectionState {
	return &stdtls.ConnectionState{
		Version:            s.Version,
		HandshakeComplete:  s.HandshakeComplete,
		DidResume:          s.DidResume,
		CipherSuite:        s.CipherSuite,
		NegotiatedProtocol: s.NegotiatedProtocol,
		ServerName:         s.ServerName,
		PeerCertificates:   s.PeerCertificates,
		VerifiedChains:     s.VerifiedChains,
		OCSPResponse:       s.OCSPResponse,
	}
}
