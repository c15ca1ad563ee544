package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/codec"
)

const (
	minKey     = 32 // bytes: as long as what HMAC-SHA256 makes
	cookieName = "auth_token"
	issuer     = "volley-auth"
)

// desk gives out tokens to those who know their passwords, and lets in who has one. Neither is ever logged.
type desk struct {
	key   []byte
	life  time.Duration
	users map[string]password
}

// user is what a token says, and what rooms see of a connection.
type user struct {
	Name    string
	Expires time.Time
}

// credentials are what HELLO carries, for clients without cookies: { "token": "…" }.
type credentials struct {
	Token string `msgpack:"token"`
}

// login answers a name and a password by a token: in a cookie, which scripts cannot read, and in the body for clients that are no
// browser.
func (d *desk) login(w http.ResponseWriter, r *http.Request) {
	var form struct{ Name, Password string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&form); err != nil {
		http.Error(w, "send a name and a password in JSON", http.StatusBadRequest)
		return
	}
	known, ok := d.users[form.Name]
	if right := known.is(form.Password); !ok || !right { // both: an unknown name takes as long
		http.Error(w, "the name or the password is wrong", http.StatusUnauthorized)
		return
	}
	expires := time.Now().Add(d.life)
	token, err := d.sign(form.Name, expires)
	if err != nil {
		http.Error(w, "the login failed", http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, cookie(r, token, expires))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires": expires.Unix()})
}

// logout takes the cookie back. The token stays good until it expires: keep its life short.
func (d *desk) logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, cookie(r, "", time.Unix(1, 0)))
}

// cookie goes to no other site's pages, and over TLS to nobody but us. Behind a proxy that ends TLS, set Secure always.
func cookie(r *http.Request, token string, expires time.Time) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: token, Path: "/", Expires: expires,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	}
}

func (d *desk) sign(name string, expires time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer: issuer, Subject: name, ExpiresAt: jwt.NewNumericDate(expires),
	}).SignedString(d.key)
}

// admit is the server's Config.Auth. The token of HELLO counts before that of the cookie. A cookie alone would be a risk where
// other sites' pages could connect in its name: the server's check of the origin, on by default, keeps them out.
func (d *desk) admit(h *volley.Hello) (any, error) {
	given, err := volley.Auth[credentials](h)
	if err != nil {
		return nil, codec.Errorf(codec.Unauthorized, "auth must be a map with a token")
	}
	token := given.Token
	if token == "" && h.Request != nil {
		if c, err := h.Request.Cookie(cookieName); err == nil {
			token = c.Value
		}
	}
	if token == "" {
		return nil, codec.Errorf(codec.Unauthorized, "log in first")
	}
	return d.check(token)
}

// check reads a token. The library compares signatures in constant time; its errors may quote what they are about, so the client
// gets words of ours.
func (d *desk) check(token string) (user, error) {
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return d.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired())
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return user{}, codec.Errorf(codec.Unauthorized, "the login has expired; log in again")
	case err != nil || claims.Subject == "":
		return user{}, codec.Errorf(codec.Unauthorized, "the token is not good; log in again")
	}
	if _, ok := d.users[claims.Subject]; !ok {
		return user{}, codec.Errorf(codec.Unauthorized, "this user is gone")
	}
	return user{Name: claims.Subject, Expires: claims.ExpiresAt.Time}, nil
}
