package volley_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(benchServerEnv); what != "" {
		var driver string
		var hz int
		if _, err := fmt.Sscan(what, &driver, &hz); err != nil {
			panic(err)
		}
		serveBench(driver, hz)
		return
	}
	if os.Getenv(drainServerEnv) != "" {
		serveDrain()
		return
	}
	goleak.VerifyTestMain(m)
}
