package netio

import (
	"net/http"
	"testing"

	"github.com/lesismal/nbio/logging"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	logging.SetLevel(logging.LevelNone) // nbio tells standard output about each engine
	goleak.VerifyTestMain(m)
}

var _ http.Handler = (*Engine)(nil)
