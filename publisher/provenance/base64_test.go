package provenance_test

import "encoding/base64"

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func decode(text string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	return string(data), err
}
