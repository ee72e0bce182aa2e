package watch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
)

var codecs = func() serializer.CodecFactory {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	return serializer.NewCodecFactory(scheme)
}()

func info(mediaType string) runtime.SerializerInfo {
	i, ok := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), mediaType)
	if !ok {
		panic(mediaType)
	}
	return i
}

func objects(mediaType string) runtime.Decoder {
	return codecs.DecoderToVersion(info(mediaType).Serializer, corev1.SchemeGroupVersion)
}

// general returns a decoder that knows nothing of the format, to compare with.
func general(mediaType string, stream io.Reader) *Decoder {
	s := info(mediaType).StreamSerializer
	return NewDecoder(streaming.NewDecoder(s.Framer.NewFrameReader(io.NopCloser(stream)), s.Serializer), objects(mediaType))
}

// special returns the decoder for the format.
func special(mediaType string, stream io.Reader) *Decoder {
	if mediaType == runtime.ContentTypeProtobuf {
		return NewProtobufDecoder(io.NopCloser(stream), objects(mediaType))
	}
	return NewJSONDecoder(io.NopCloser(stream), objects(mediaType))
}

// all reads a stream to its end, and writes what it finds.
func all(d *Decoder) (text string, err error) {
	var b strings.Builder
	for {
		eventType, object, err := d.Decode()
		if err != nil {
			return b.String(), err
		}
		switch o := object.(type) {
		case *corev1.Pod:
			fmt.Fprintf(&b, "%s pod %s %q\n", eventType, o.Name, o.Annotations)
		case *metav1.Status:
			fmt.Fprintf(&b, "%s status %s\n", eventType, o.Message)
		default:
			fmt.Fprintf(&b, "%s %T\n", eventType, o)
		}
	}
}

func written(t testing.TB, mediaType string, events ...watch.Event) []byte {
	t.Helper()
	var out bytes.Buffer
	i := info(mediaType)
	e := NewEncoder(
		streaming.NewEncoder(i.StreamSerializer.Framer.NewFrameWriter(&out), codecs.EncoderForVersion(i.StreamSerializer.Serializer, corev1.SchemeGroupVersion)),
		codecs.EncoderForVersion(i.Serializer, corev1.SchemeGroupVersion))
	for _, event := range events {
		if err := e.Encode(&event); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func pod(name, annotation string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"a": annotation}}}
}

var someEvents = []watch.Event{
	{Type: watch.Added, Object: pod("small", "")},
	{Type: watch.Modified, Object: pod("strange", "{[\"\\\"]}\\\\ \u00fc\n")},
	{Type: watch.Modified, Object: pod("large", strings.Repeat(`\"x`, 100_000))},
	{Type: watch.Deleted, Object: pod("small", "")},
	{Type: watch.Bookmark, Object: pod("", "")},
	{Type: watch.Error, Object: &metav1.Status{Message: "gone"}},
}

var mediaTypes = []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, mediaType := range mediaTypes {
		data := written(t, mediaType, someEvents...)
		want, err := all(general(mediaType, bytes.NewReader(data)))
		if err != io.EOF || strings.Count(want, "\n") != len(someEvents) {
			t.Fatalf("%s: %v, %d events", mediaType, err, strings.Count(want, "\n"))
		}
		for name, stream := range map[string]io.Reader{
			"whole":          bytes.NewReader(data),
			"in halves":      iotest.HalfReader(bytes.NewReader(data)),
			"byte by byte":   iotest.OneByteReader(bytes.NewReader(data)),
			"error with end": iotest.DataErrReader(bytes.NewReader(data)),
		} {
			if got, err := all(special(mediaType, stream)); err != io.EOF || got != want {
				t.Errorf("%s, %s: %v; got %.200s, want %.200s", mediaType, name, err, got, want)
			}
		}
	}
}

func TestStreamThatIsCutOffEndsUnexpectedly(t *testing.T) {
	for _, mediaType := range mediaTypes {
		data := written(t, mediaType, someEvents[:2]...)
		first := len(written(t, mediaType, someEvents[0]))
		for i := 1; i < len(data); i++ {
			_, err := all(special(mediaType, bytes.NewReader(data[:i])))
			want := io.ErrUnexpectedEOF
			if i == first || mediaType == runtime.ContentTypeJSON && (i == first-1 || i == len(data)-1) { // the line ends after the event
				want = io.EOF
			}
			if err != want {
				t.Errorf("%s, %d of %d bytes: %v, want %v", mediaType, i, len(data), err, want)
			}
		}
	}
}

const podText = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web"}}`

func TestJSONIsReadHoweverItIsWritten(t *testing.T) {
	const want = "ADDED pod web map[]\n"
	for name, text := range map[string]string{
		"plain":              `{"type":"ADDED","object":` + podText + `}`,
		"other order":        `{"object":` + podText + `,"type":"ADDED"}`,
		"spaces":             " \r\n\t{ \"type\" : \"ADDED\" , \"object\" : " + podText + " } \n",
		"escapes":            `{"\u0074ype":"ADD\u0045D","ob\u006aect":` + podText + `}`,
		"more fields":        `{"kind":"WatchEvent","x":[{"type":"q"},null,-1.5e3,true],"type":"ADDED","object":` + podText + `}`,
		"the last one wins":  `{"type":"x","object":1,"type":"ADDED","object":` + podText + `}`,
		"case matters":       `{"type":"ADDED","Type":"x","OBJECT":1,"object":` + podText + `}`,
		"brackets in string": `{"x":"}]{[\"\\","type":"ADDED","object":` + podText + `}`,
	} {
		got, err := all(special(runtime.ContentTypeJSON, strings.NewReader(text+text)))
		if err != io.EOF || got != want+want {
			t.Errorf("%s: %v, %q", name, err, got)
		}
		if got, err := all(general(runtime.ContentTypeJSON, strings.NewReader(text+text))); err != io.EOF || got != want+want {
			t.Errorf("%s is not what others read: %v, %q", name, err, got)
		}
	}
}

func TestWhatIsNoEventIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		`x`:                        "must be a JSON object",
		`[]`:                       "must be a JSON object",
		`null`:                     "must be a JSON object",
		`{}`:                       "invalid watch event type",
		`{"type":"ADDED"}`:         "unable to decode watch event",
		`{"type":null}`:            "invalid watch event type",
		`{"type":5}`:               "must be a string",
		`{"type":"A\x"}`:           "not a watch event",
		`{5:"ADDED"}`:              "must be a string",
		`{"type" "ADDED"}`:         "colon",
		`{"type":"ADDED" "x":1}`:   "comma",
		`{"type":,}`:               "malformed",
		`{"type":nope}`:            "malformed",
		`{"type":}`:                "malformed",
		`{"type":"ADDED",}`:        "malformed",
		`{"type":"ADDED"]`:         "comma",
		`{"object":null,"type":1}`: "must be a string",
	} {
		_, err := all(special(runtime.ContentTypeJSON, strings.NewReader(text)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func frame(message ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)
}

func TestBrokenProtobufIsAnError(t *testing.T) {
	for name, data := range map[string][]byte{
		"field zero":      frame(0x02, 0),
		"long varint":     frame(bytes.Repeat([]byte{0xff}, 11)...),
		"no length":       frame(0x0a),
		"too long":        frame(0x0a, 5, 'A'),
		"group":           frame(0x0b),
		"cut off number":  frame(0x18),
		"cut off 64 bit":  frame(0x19, 1, 2),
		"broken object":   frame(0x12, 2, 0x0a, 9),
		"endless message": {0xff, 0xff, 0xff, 0xff},
	} {
		_, err := all(special(runtime.ContentTypeProtobuf, bytes.NewReader(data)))
		if !errors.Is(err, errMessage) && !errors.Is(err, streaming.ErrObjectTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Fields that nobody knows are skipped.
	known, err := (&metav1.WatchEvent{Type: "ADDED", Object: runtime.RawExtension{Raw: []byte("x")}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	unknown := []byte{0x18, 5, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x1d, 1, 2, 3, 4, 0x1a, 1, 'x'}
	eventType, object, err := parseMessage(append(unknown, known...))
	if eventType != watch.Added || string(object) != "x" || err != nil {
		t.Errorf("%s, %q, %v", eventType, object, err)
	}
}

// endless sends the same byte for ever, after a beginning.
type endless struct{ start io.Reader }

func (e endless) Read(p []byte) (int, error) {
	if n, err := e.start.Read(p); err == nil {
		return n, nil
	}
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestEndlessEventIsAnError(t *testing.T) {
	_, err := all(special(runtime.ContentTypeJSON, endless{strings.NewReader(`{"type":"`)}))
	if err != streaming.ErrObjectTooLarge {
		t.Error(err)
	}
}

func TestDecodedObjectsDoNotShareTheBuffer(t *testing.T) {
	for _, mediaType := range mediaTypes {
		data := written(t, mediaType, someEvents[:2]...)
		d := special(mediaType, iotest.OneByteReader(bytes.NewReader(data)))
		kept := &keeping{}
		d.object = kept
		for range 2 {
			if _, _, err := d.Decode(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(kept.got[0], kept.copies[0]) {
			t.Errorf("%s: the second event has overwritten the first one", mediaType)
		}
	}
}

// keeping is a decoder that keeps what it decodes from.
type keeping struct{ got, copies [][]byte }

func (k *keeping) Decode(data []byte, _ *schema.GroupVersionKind, _ runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	k.got, k.copies = append(k.got, data), append(k.copies, bytes.Clone(data))
	return &corev1.Pod{}, nil, nil
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"type":"ADDED","object":` + podText + "}\n{"))
	f.Add([]byte(`{"x":"}\"\\","type":null,"object":[]}`))
	f.Add(written(f, runtime.ContentTypeJSON, someEvents[:2]...))
	f.Fuzz(func(t *testing.T, data []byte) { sameAsGeneral(t, runtime.ContentTypeJSON, data) })
}

func FuzzProtobuf(f *testing.F) {
	f.Add(frame(0x0a, 1, 'A', 0x12, 2, 0x0a, 0))
	f.Add(written(f, runtime.ContentTypeProtobuf, someEvents[:2]...))
	f.Fuzz(func(t *testing.T, data []byte) { sameAsGeneral(t, runtime.ContentTypeProtobuf, data) })
}

// sameAsGeneral checks that each event that the general decoder finds is found, and that
// whatever else there is does no harm.
func sameAsGeneral(t *testing.T, mediaType string, data []byte) {
	want, _ := all(general(mediaType, bytes.NewReader(data)))
	got, err := all(special(mediaType, bytes.NewReader(data)))
	if !strings.HasPrefix(got, want) {
		t.Errorf("found %q, then %v; want %q", got, err, want)
	}
	pieces, errPieces := all(special(mediaType, iotest.OneByteReader(bytes.NewReader(data))))
	if pieces != got || fmt.Sprint(errPieces) != fmt.Sprint(err) {
		t.Errorf("byte by byte: %q, %v; at once: %q, %v", pieces, errPieces, got, err)
	}
}
