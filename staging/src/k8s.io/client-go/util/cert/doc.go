// Package cert makes certificates and requests for them, and reads and writes
// them in PEM.
//
// For servers in tests and for a first start, [GenerateSelfSignedCertKey] makes a
// certificate together with an authority of its own. [NewSelfSignedCACert] makes
// just the certificate of an authority, and [MakeCSR] a request to someone
// else's. [GetServingCertificates] and [GetClientCANames] ask a running server
// what it shows and what it accepts.
package cert
