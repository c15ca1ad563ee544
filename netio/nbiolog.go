package netio

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/lesismal/nbio/logging"
)

// nbio has one logger for the whole process, which writes to standard output. A library must not write there, so what it has
// to say goes to slog's default logger: its errors as warnings, the rest as debugging. Whoever has set a logger of
// their own keeps it.
var quietOnce sync.Once

var nbioDefault = logging.DefaultLogger

func quietNBIO() {
	quietOnce.Do(func() {
		if logging.DefaultLogger == nbioDefault {
			logging.SetLogger(nbioLogger{})
		}
	})
}

type nbioLogger struct{}

func (nbioLogger) Debug(string, ...any) {} // one line for each event of a socket: not even formatted

func (nbioLogger) Info(format string, v ...any)  { slog.Debug(fmt.Sprintf(format, v...)) }
func (nbioLogger) Warn(format string, v ...any)  { slog.Warn(fmt.Sprintf(format, v...)) }
func (nbioLogger) Error(format string, v ...any) { slog.Warn(fmt.Sprintf(format, v...)) }
