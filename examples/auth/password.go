package main

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
)

// rounds make a guess cost some milliseconds.
const rounds = 100_000

// password is what a server keeps of one: a salt, and what comes of both. The zero password is nobody's.
type password struct {
	salt [16]byte
	hash []byte
}

func newPassword(word string) (p password) {
	_, _ = rand.Read(p.salt[:]) // it never fails
	p.hash = derive(word, p.salt[:])
	return p
}

// is reports whether word is the password. It takes as long whether it is or not.
func (p password) is(word string) bool {
	return subtle.ConstantTimeCompare(derive(word, p.salt[:]), p.hash) == 1
}

func derive(word string, salt []byte) []byte {
	hash, err := pbkdf2.Key(sha256.New, word, salt, rounds, sha256.Size)
	if err != nil {
		panic(err) // of arguments that are constant here
	}
	return hash
}
