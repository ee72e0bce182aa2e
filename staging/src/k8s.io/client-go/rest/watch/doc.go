// Package watch reads and writes the stream of events that a server sends to a watch.
//
// Each event is a frame of its own. It holds a type, such as ADDED, and the object in its
// encoded form. A [Decoder] reads frames and decodes their objects:
//
//	decoder := watch.NewJSONDecoder(response.Body, codec)
//	defer decoder.Close()
//	for {
//		eventType, object, err := decoder.Decode()
//		…
//	}
//
// In JSON a frame is {"type":"ADDED","object":{…}}, and frames follow one another with or
// without white space between them. In protobuf a frame is a meta/v1 WatchEvent, preceded by its
// length in four bytes, the most significant one first. [NewJSONDecoder] and
// [NewProtobufDecoder] find the object in a frame without decoding it twice; [NewDecoder]
// works with a decoder for whatever other frames there are.
package watch
