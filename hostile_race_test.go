//go:build race

package volley_test

import "time"

// Under the race detector everything takes several times as long, and memory says little.
const (
	attacksEach = 4
	besiegers   = 6               // of each siege and transport
	patience    = 3 * time.Second // of a server under siege
	heapTells   = false           // what a peer costs
)
