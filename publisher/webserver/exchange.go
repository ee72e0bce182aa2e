package webserver

import (
	"context"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"
)

// exchange is a request and its answer. Where that is a file, or a part of one, the file is read
// through it, and it ends when the file is sent.
type exchange struct {
	*Server
	ctx         *fasthttp.RequestCtx
	method      string
	path, query string
	kind        kind

	file *file
	left int64 // bytes of the file that are to be sent
	size int64 // bytes of the answer
}

func (s *Server) exchange(ctx *fasthttp.RequestCtx) *exchange {
	e := &exchange{Server: s, ctx: ctx, method: string(ctx.Method()), kind: kind{name: "other"}}
	e.set("X-Content-Type-Options", "nosniff")
	e.set("Content-Security-Policy", filePolicy)
	e.set("Referrer-Policy", "no-referrer")
	return e
}

// handle answers a request.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	e := s.exchange(ctx)
	defer func() {
		if p := recover(); p != nil {
			e.mistake(p)
			if e.file != nil {
				e.file.Close()
			}
			ctx.Response.Reset()
			ctx.SetConnectionClose()
			s.exchange(ctx).say(fasthttp.StatusInternalServerError, "a mistake of the server's")
		}
	}()
	e.answer()
	if !ctx.Response.IsBodyStream() {
		e.end()
	}
}

// mistake logs a panic, which is one of this program's and no reason to end it.
func (e *exchange) mistake(p any) {
	e.log.Error("a request failed", "path", e.path, "panic", p, "stack", string(debug.Stack()))
}

// misunderstood answers what is no request, or is one that takes too long or has too much to say.
func (s *Server) misunderstood(ctx *fasthttp.RequestCtx, err error) {
	e := s.exchange(ctx)
	if code := misunderstanding(err); code == fasthttp.StatusRequestEntityTooLarge && !e.reads() {
		e.refuse()
	} else {
		e.say(code, fasthttp.StatusMessage(code))
	}
	e.end()
}

// reads tells whether the request only asks for something.
func (e *exchange) reads() bool {
	return e.method == fasthttp.MethodGet || e.method == fasthttp.MethodHead
}

func (e *exchange) set(name, value string) { e.ctx.Response.Header.Set(name, value) }

// say answers with a sentence, which the go command shows to its user.
func (e *exchange) say(code int, text string) {
	e.ctx.SetStatusCode(code)
	e.set("Content-Type", plain)
	e.write([]byte(text + "\n"))
}

// write answers with what is in memory, and stays as it is.
func (e *exchange) write(data []byte) {
	e.ctx.Response.SetBodyRaw(data)
	if e.method != fasthttp.MethodHead {
		e.size = int64(len(data))
	}
}

// stream answers with the next bytes of the file.
func (e *exchange) stream(length int64) {
	e.left = length
	e.ctx.SetBodyStream(e, int(length))
}

// Read reads them. Those of small files go to the client together with the headers.
func (e *exchange) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.file.Read(p[:min(int64(len(p)), e.left)])
	e.sent(int64(n))
	return n, err
}

// copyTo has the operating system copy what has not been read. No piece of it may take long.
func (e *exchange) copyTo(c *conn) (n int64, err error) {
	for e.left > 0 && err == nil {
		if err := c.wait(); err != nil {
			return n, err
		}
		var some int64
		if some, err = e.file.copyTo(c.Conn.(io.ReaderFrom), min(e.left, piece)); some == 0 && err == nil {
			err = io.ErrUnexpectedEOF
		}
		e.sent(some)
		n += some
	}
	return n, err
}

func (e *exchange) sent(n int64) {
	e.left -= n
	e.size += n
}

// Close ends it after the file.
func (e *exchange) Close() error {
	defer e.end()
	return e.file.Close()
}

// end logs and counts what was answered.
func (e *exchange) end() {
	defer func() {
		if p := recover(); p != nil {
			e.mistake(p)
		}
	}()
	took, code := time.Since(e.ctx.Time()), e.ctx.Response.StatusCode()
	e.metrics.observe(e.kind.name, code, e.size, took)
	if e.access != nil {
		e.access.LogAttrs(context.Background(), slog.LevelInfo, "request", slog.String("method", e.method), slog.String("path", e.path),
			slog.Int("status", code), slog.Int64("bytes", e.size), slog.Duration("took", took),
			slog.String("from", e.ctx.RemoteAddr().String()), slog.String("agent", string(e.ctx.UserAgent())))
	}
}
