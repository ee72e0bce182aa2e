package remotecommand

import (
	"context"

	"k8s.io/klog/v2"
)

// A FallbackExecutor has a second executor for servers that the first one cannot talk
// to.
type FallbackExecutor struct {
	primary, secondary Executor
	shouldFallback     func(error) bool
}

var _ Executor = &FallbackExecutor{}

// NewFallbackExecutor returns an executor that uses primary, and secondary if primary
// has returned an error for which shouldFallback is true. That must be an error from
// before any stream was opened, as for httpstream.IsUpgradeFailure: what was read of
// the input does not come again. The error of NewFallbackExecutor is always nil.
func NewFallbackExecutor(primary, secondary Executor, shouldFallback func(error) bool) (Executor, error) {
	return &FallbackExecutor{primary: primary, secondary: secondary, shouldFallback: shouldFallback}, nil
}

// Stream is StreamWithContext with a context that never ends.
//
// Deprecated: use StreamWithContext.
func (f *FallbackExecutor) Stream(options StreamOptions) error {
	return f.StreamWithContext(context.Background(), options)
}

// StreamWithContext carries the streams with the first executor, or else with the
// second one.
func (f *FallbackExecutor) StreamWithContext(ctx context.Context, options StreamOptions) error {
	err := f.primary.StreamWithContext(ctx, options)
	if err == nil || !f.shouldFallback(err) {
		return err
	}
	klog.FromContext(ctx).V(4).Info("Falling back to another way to run a command", "err", err)
	return f.secondary.StreamWithContext(ctx, options)
}
