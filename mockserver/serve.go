package mockserver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// shutdownTime is how long Serve waits for requests in flight after ctx is done.
const shutdownTime = time.Second

// Serve answers on a listener until ctx is done. Then it waits up to a second for requests in
// flight and returns nil. It closes the listener.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	// Requests outlive ctx by the shutdown time.
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return requests },
	}
	failed := make(chan error, 1) // one error: the goroutine ends even if Serve does not read it
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	patience, stop := context.WithTimeout(requests, shutdownTime)
	defer stop()
	err := server.Shutdown(patience)
	if errors.Is(err, context.DeadlineExceeded) {
		cancel()
		err = server.Close()
	}
	if errServe := <-failed; !errors.Is(errServe, http.ErrServerClosed) {
		err = errors.Join(err, errServe)
	}
	return err
}
