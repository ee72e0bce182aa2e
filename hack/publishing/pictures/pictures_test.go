package main

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

// TestSessionIsDrawnAsItWasPrinted reads the text of a picture again.
func TestSessionIsDrawnAsItWasPrinted(t *testing.T) {
	s := session{{"publisher sync", "REF   NOTE\n<a>   \"b\" & c\n\n  two   spaces\n"}}
	var got []string
	drawing := xml.NewDecoder(bytes.NewReader(s.draw(schemes[0])))
	for {
		token, err := drawing.Token()
		if token == nil {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "text" {
			var text string
			if err := drawing.DecodeElement(&text, &start); err != nil {
				t.Fatal(err)
			}
			got = append(got, text)
		}
	}
	want := "$ |publisher sync|REF   NOTE|<a>   \"b\" & c|  two   spaces"
	if strings.Join(got, "|") != want {
		t.Errorf("it says %q, want %q", strings.Join(got, "|"), want)
	}
}

// TestCommonColoursStay has a picture with more colours than a byte can tell apart.
func TestCommonColoursStay(t *testing.T) {
	from := image.NewRGBA(image.Rect(0, 0, 100, 10))
	for x := range 100 {
		for y := range 10 {
			c := color.RGBA{0x11, 0x17, 0x1d, 0xff}
			if y > 5 {
				c = color.RGBA{uint8(x), uint8(y), uint8(x), 0xff}
			}
			from.Set(x, y, c)
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, from); err != nil {
		t.Fatal(err)
	}
	small, err := smaller(data.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	to, err := png.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	for x := range 100 {
		for y := range 6 {
			if is := color.RGBAModel.Convert(to.At(x, y)); is != from.At(x, y) {
				t.Fatalf("at %d, %d is %v, want %v", x, y, is, from.At(x, y))
			}
		}
	}
	if again, err := smaller(data.Bytes()); err != nil || !bytes.Equal(again, small) {
		t.Errorf("the same picture gives another file: %v", err)
	}
}
