//go:build !race

package volley_test

import "time"

const (
	attacksEach = 8
	besiegers   = 20          // of each siege and transport
	patience    = time.Second // of a server under siege
	heapTells   = true        // what a peer costs
)
