package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/internal/atomicfile"
)

// A cacheRoundTripper keeps responses to GET requests, as a private cache in
// the sense of RFC 9111. It keeps those only which can be told from newer
// ones: by an ETag, or because they are good for a while.
//
// There is one file for each path and Accept header. The query is not part of
// its name, since in OpenAPI paths it has the hash of the document: the new
// document takes the place of the old.
type cacheRoundTripper struct {
	below http.RoundTripper
	dir   string
}

func newCacheRoundTripper(dir string, below http.RoundTripper) http.RoundTripper {
	return &cacheRoundTripper{below: below, dir: dir}
}

// WrappedRoundTripper returns what the cache stands in front of, for programs
// that look for the transport at the bottom.
func (rt *cacheRoundTripper) WrappedRoundTripper() http.RoundTripper { return rt.below }

func (rt *cacheRoundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	if !mayServe(request) {
		return rt.below.RoundTrip(request)
	}
	path := rt.file(request)
	kept, body := load(path)
	if kept != nil && !kept.answers(request) {
		kept = nil
	}
	if kept != nil && kept.good(time.Now()) {
		return kept.response(request, body), nil
	}

	asked := request
	if etag := kept.etag(); etag != "" {
		asked = request.Clone(request.Context())
		asked.Header.Set("If-None-Match", etag)
	}
	response, err := rt.below.RoundTrip(asked)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusNotModified && kept != nil {
		// Drained, so that the connection can be used again.
		io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10))
		response.Body.Close()
		for _, name := range []string{"Date", "Cache-Control", "Expires"} {
			if values := response.Header.Values(name); len(values) > 0 {
				kept.Header[name] = values
			}
		}
		return kept.response(request, body), nil
	}
	if mayKeep(response) {
		response.Body = rt.recorder(path, request, response)
	}
	return response, nil
}

// mayServe reports whether the answer to request could be a kept one. Who asks
// for a part, or on a condition, knows what he does and is let through.
func mayServe(request *http.Request) bool {
	if request.Method != http.MethodGet || request.Body != nil && request.Body != http.NoBody {
		return false
	}
	for _, name := range []string{"Range", "If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Upgrade"} {
		if request.Header.Get(name) != "" {
			return false
		}
	}
	orders := directives(request.Header)
	_, noStore := orders["no-store"]
	_, noCache := orders["no-cache"]
	return !noStore && !noCache
}

// mayKeep reports whether response is worth keeping.
func mayKeep(response *http.Response) bool {
	if response.StatusCode != http.StatusOK {
		return false
	}
	if _, noStore := directives(response.Header)["no-store"]; noStore {
		return false
	}
	for _, vary := range response.Header.Values("Vary") {
		for name := range strings.SplitSeq(vary, ",") {
			// The transport negotiates the encoding by itself, and takes it
			// off again. Of the rest only Accept is part of a file's name.
			switch http.CanonicalHeaderKey(strings.TrimSpace(name)) {
			case "Accept", "Accept-Encoding":
			default:
				return false
			}
		}
	}
	k := keptResponse{Header: response.Header}
	return k.etag() != "" || k.good(time.Now())
}

func (rt *cacheRoundTripper) file(request *http.Request) string {
	sum := sha256.Sum256([]byte(request.URL.Scheme + "://" + request.URL.Host + request.URL.EscapedPath() +
		"\n" + strings.Join(request.Header.Values("Accept"), ",")))
	return filepath.Join(rt.dir, hex.EncodeToString(sum[:]))
}

// directives returns what the Cache-Control header says.
func directives(header http.Header) map[string]string {
	found := map[string]string{}
	for _, line := range header.Values("Cache-Control") {
		for part := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if name != "" {
				found[strings.ToLower(name)] = strings.Trim(value, `"`)
			}
		}
	}
	return found
}

// A file has three parts: the SHA-256 of all that follows it, a keptResponse
// as a line of JSON, and the body.
type keptResponse struct {
	URL    string      `json:"url"`
	Accept []string    `json:"accept,omitempty"`
	Header http.Header `json:"header"`
}

// load returns what is in a file, or nil if there is no good one.
func load(path string) (*keptResponse, []byte) {
	data, err := os.ReadFile(path)
	if err != nil || len(data) < sha256.Size {
		return nil, nil
	}
	sum, data := data[:sha256.Size], data[sha256.Size:]
	if actual := sha256.Sum256(data); !bytes.Equal(sum, actual[:]) {
		return nil, nil
	}
	line, body, _ := bytes.Cut(data, []byte("\n"))
	kept := new(keptResponse)
	if json.Unmarshal(line, kept) != nil || kept.Header == nil {
		return nil, nil
	}
	return kept, body
}

// answers reports whether request was the one that was answered.
func (k *keptResponse) answers(request *http.Request) bool {
	return k.URL == request.URL.String() && slices.Equal(k.Accept, request.Header.Values("Accept"))
}

func (k *keptResponse) etag() string {
	if k == nil {
		return ""
	}
	return k.Header.Get("ETag")
}

// good reports whether the server need not be asked.
func (k *keptResponse) good(now time.Time) bool {
	orders := directives(k.Header)
	if _, must := orders["no-cache"]; must {
		return false
	}
	date, err := http.ParseTime(k.Header.Get("Date"))
	if err != nil {
		return false
	}
	expiry := date
	if seconds, ok := orders["max-age"]; ok {
		n, err := strconv.ParseUint(seconds, 10, 31)
		if err != nil {
			return false
		}
		expiry = date.Add(time.Duration(n) * time.Second)
	} else if t, err := parseTime(k.Header.Get("Expires")); err == nil {
		expiry = t
	}
	return now.Before(expiry)
}

// parseTime is http.ParseTime. API servers write UTC for GMT in the time of expiry
// of OpenAPI documents.
func parseTime(text string) (time.Time, error) {
	if before, ok := strings.CutSuffix(text, " UTC"); ok {
		text = before + " GMT"
	}
	return http.ParseTime(text)
}

func (k *keptResponse) response(request *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status:        "200 OK",
		StatusCode:    http.StatusOK,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        k.Header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       request,
	}
}

// recorder returns the body of response, which is written to a file while it
// is read. The file counts only if the body is read to its end.
func (rt *cacheRoundTripper) recorder(path string, request *http.Request, response *http.Response) io.ReadCloser {
	header := response.Header.Clone()
	header.Del("Set-Cookie") // not for the disk
	head, err := json.Marshal(keptResponse{
		URL:    request.URL.String(),
		Accept: request.Header.Values("Accept"),
		Header: header,
	})
	if err != nil {
		return response.Body
	}
	f, err := atomicfile.Begin(path, dirMode)
	if err != nil {
		return response.Body
	}
	r := &recorder{ReadCloser: response.Body, file: f, sum: sha256.New()}
	if _, err := f.Seek(sha256.Size, io.SeekStart); err != nil {
		r.finish(err)
		return r
	}
	r.write(append(head, '\n'))
	return r
}

type recorder struct {
	io.ReadCloser
	file *atomicfile.Pending // nil once it is done with
	sum  hash.Hash
}

var errNotRead = errors.New("closed before its end")

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.write(p[:n])
	switch {
	case err == io.EOF:
		r.finish(nil)
	case err != nil:
		r.finish(err)
	}
	return n, err
}

func (r *recorder) Close() error {
	r.finish(errNotRead)
	return r.ReadCloser.Close()
}

func (r *recorder) write(p []byte) {
	if r.file == nil || len(p) == 0 {
		return
	}
	r.sum.Write(p)
	if _, err := r.file.Write(p); err != nil {
		r.finish(err)
	}
}

func (r *recorder) finish(err error) {
	if r.file == nil {
		return
	}
	if err == nil {
		_, err = r.file.WriteAt(r.sum.Sum(nil), 0)
	}
	r.file.Commit(err)
	r.file = nil
}
