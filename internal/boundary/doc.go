// Package boundary holds the rules of who may import whom, as tests: ARCHITECTURE.md draws the picture, and a forbidden
// import fails here with the way that it took and the reason why it must not be.
package boundary
