package rest

import "slices"

// DeepCopyInto copies in to out. Neither may be nil.
func (in *TLSClientConfig) DeepCopyInto(out *TLSClientConfig) {
	*out = *in
	out.CertData = slices.Clone(in.CertData)
	out.KeyData = slices.Clone(in.KeyData)
	out.CAData = slices.Clone(in.CAData)
	out.NextProtos = slices.Clone(in.NextProtos)
}

// DeepCopy returns a copy that shares nothing with in; nil for nil.
func (in *TLSClientConfig) DeepCopy() *TLSClientConfig {
	if in == nil {
		return nil
	}
	out := &TLSClientConfig{}
	in.DeepCopyInto(out)
	return out
}
