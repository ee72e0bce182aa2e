// Package tracing makes OpenTelemetry traces of runs: a span for the run, and one
// for each of its stages. Spans go to a collector by OTLP over HTTP, or as JSON to
// a writer.
package tracing

import (
	"context"
	"fmt"
	"io"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"k8s.io/publisher/session"
)

// Exporters, as flags name them. OTLP takes the place and all else from the
// variables that OpenTelemetry defines for every program, such as
// OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS.
const (
	None   = "none"
	Stdout = "stdout"
	OTLP   = "otlp"
)

// Tracer makes traces. A nil one makes none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// New makes a tracer that sends to an exporter; w is for [Stdout]. [None] is a nil
// tracer.
func New(ctx context.Context, exporter string, w io.Writer) (*Tracer, error) {
	var to sdk.SpanExporter
	var err error
	switch exporter {
	case None:
		return nil, nil
	case Stdout:
		to, err = stdouttrace.New(stdouttrace.WithWriter(w))
	case OTLP:
		to, err = otlptracehttp.New(ctx)
	default:
		err = fmt.Errorf("%q is no exporter of traces", exporter)
	}
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "publisher")), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(to), sdk.WithResource(about))
	return &Tracer{provider, provider.Tracer("k8s.io/publisher")}, nil
}

// Close sends what is not sent yet.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	return nil
}

// Run starts the span of a run. The function ends it.
func (t *Tracer) Run(ctx context.Context, id, cause string) (context.Context, func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	return t.span(ctx, "run", attribute.String("publisher.run", id), attribute.String("publisher.cause", cause))
}

// Observe is an observer of sessions.
func (t *Tracer) Observe(ctx context.Context, stage session.Stage, destination string) (context.Context, func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	if destination == "" {
		return t.span(ctx, string(stage))
	}
	return t.span(ctx, string(stage), attribute.String("publisher.destination", destination))
}

func (t *Tracer) span(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, name, trace.WithAttributes(attributes...))
	return ctx, func(err error) {
		if err != nil {
			// The words are in the log, where they are redacted.
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
