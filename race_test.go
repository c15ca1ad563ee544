//go:build race

package volley_test

// raceDetector says that everything takes ten times as long.
const raceDetector = true
