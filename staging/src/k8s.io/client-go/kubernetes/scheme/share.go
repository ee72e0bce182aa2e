package scheme

import "k8s.io/client-go/internal/sharedscheme"

func init() { sharedscheme.Scheme = Scheme }
