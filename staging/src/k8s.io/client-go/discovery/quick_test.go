package discovery

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	apidiscoveryv2beta1 "k8s.io/api/apidiscovery/v2beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// document returns an aggregated document as a server writes it, with as many
// groups as asked for, of two versions with ten resources each.
func document(groups int) []byte {
	var list apidiscovery.APIGroupDiscoveryList
	list.Kind, list.APIVersion = "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"
	for g := range groups {
		group := apidiscovery.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("group%d.example.com", g)}}
		for _, version := range []string{"v1", "v1beta1"} {
			v := apidiscovery.APIVersionDiscovery{Version: version, Freshness: apidiscovery.DiscoveryFreshnessCurrent}
			for r := range 10 {
				kind := &metav1.GroupVersionKind{Group: group.Name, Version: version, Kind: fmt.Sprintf("Widget%d", r)}
				v.Resources = append(v.Resources, apidiscovery.APIResourceDiscovery{
					Resource:         fmt.Sprintf("widget%ds", r),
					ResponseKind:     kind,
					Scope:            apidiscovery.ScopeNamespace,
					SingularResource: fmt.Sprintf("widget%d", r),
					Verbs:            []string{"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"},
					ShortNames:       []string{fmt.Sprintf("w%d", r)},
					Subresources: []apidiscovery.APISubresourceDiscovery{
						{Subresource: "status", ResponseKind: kind, Verbs: []string{"get", "patch", "update"}},
					},
				})
			}
			group.Versions = append(group.Versions, v)
		}
		list.Items = append(list.Items, group)
	}
	data, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return data
}

var odd = []string{
	`null`,
	`{}`,
	`{"items":null}`,
	`{"items":[]}`,
	`{"items":[{}]}`,
	`{"items":[{"metadata":{"name":"g"}}]}`,
	`{"items":[{"versions":[{"freshness":"Stale","version":"v1"}],"metadata":{"name":"g"}}]}`,
	`{"items":[{"versions":[{"version":"v1","resources":[{"subresources":[{"responseKind":{"kind":"S"},"subresource":"s"}],"singularResource":"x","scope":"Namespaced","resource":"xs"}]}]}]}`,
	`{"items":[{"versions":[{"version":"v1","resources":[{"resource":"xs","verbs":null,"shortNames":[],"responseKind":{"kind":"X"}}]}]}]}`,
	`{"unknown":{"deep":[1.5e3,"x",true,null]},"items":[{"versions":[]}]}`,
	`{"unknown":{"deep":["x",true,false,null,{}]},"items":[{"versions":[]}]}`,
	`{"items":[{"metadata":{"name":"esc\u0061ped"}}]}`,
	`{"items":[{"metadata":{"name":"ünusual"}}]}`,
	"{\"items\":[{\"metadata\":{\"name\":\"\xff\"}}]}",
	`{"Items":[{"Metadata":{"NAME":"g"}}]}`,
	`{"items":[{"metadata":{"name":"a"}}],"items":[{"metadata":{"generateName":"b"}}]}`,
	`{"items":[{"metadata":{"labels":{"a":"b"},"name":"g"}}]}`,
	`{"items":[{"metadata":{"labels":7,"name":"g"}}]}`,
	`{"metadata":{"resourceVersion":7}}`,
	`{"items":[null]}`,
	`{"items":[{"versions":[{"version":"v1","resources":[{"resource":"xs","verbs":["get",null],"responseKind":{"kind":"X"}}]}]}]}`,
	`{"items":{}}`,
	`{"items":[{"versions":"v1"}]}`,
	`{"items":[]} x`,
	`{"items":[],}`,
	`{"items":[`,
	`{"items":[nullx]}`,
	``,
	`[]`,
	`7`,
	strings.Repeat(`{"x":`, 100) + `{}` + strings.Repeat(`}`, 100),
}

// sameAsThorough fails the test where the quick decoder gives an answer other
// than encoding/json, and reports whether it gave one.
func sameAsThorough(t *testing.T, data []byte) bool {
	t.Helper()
	quick, ok := decodeQuickly(data)
	if !ok {
		return false
	}
	thorough, err := decodeThoroughly(data)
	if err != nil {
		t.Fatalf("%s\nis taken, but %v", data, err)
	}
	if !reflect.DeepEqual(quick, thorough) {
		t.Fatalf("%s\nquickly  %+v\nthorough %+v", data, quick, thorough)
	}
	return true
}

func TestQuickDecoderUnderstandsLikeEncodingJSON(t *testing.T) {
	for _, data := range odd {
		sameAsThorough(t, []byte(data))
	}
}

func TestQuickDecoderTakesWhatServersWrite(t *testing.T) {
	data := document(3)
	if !sameAsThorough(t, data) {
		t.Error("it gave up")
	}
	var indented []byte
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	indented, err := json.MarshalIndent(value, "", "  ") // and in another order
	if err != nil {
		t.Fatal(err)
	}
	if !sameAsThorough(t, indented) {
		t.Error("it gave up on white space")
	}
}

func TestDecodedNamesDoNotHoldOnToTheDocument(t *testing.T) {
	data := document(1)
	p, ok := decodeQuickly(data)
	if !ok {
		t.Fatal("it gave up")
	}
	start, end := uintptr(unsafe.Pointer(&data[0])), uintptr(unsafe.Pointer(&data[len(data)-1]))
	for _, list := range p.resources {
		for _, r := range list.APIResources {
			if at := uintptr(unsafe.Pointer(unsafe.StringData(r.Name))); at >= start && at <= end {
				t.Fatalf("%q is in the document", r.Name)
			}
		}
	}
}

func TestDecodedListsHaveNoRoomToAppendTo(t *testing.T) {
	p, ok := decodeQuickly(document(1))
	if !ok {
		t.Fatal("it gave up")
	}
	for _, list := range p.resources {
		for _, r := range list.APIResources {
			if cap(r.Verbs) != len(r.Verbs) || cap(r.ShortNames) != len(r.ShortNames) {
				t.Fatalf("%s shares its verbs with the next resource", r.Name)
			}
		}
	}
}

func TestBothVersionsOfTheAggregatedFormMeanTheSame(t *testing.T) {
	data := document(2)
	var newer apidiscovery.APIGroupDiscoveryList
	var beta apidiscoveryv2beta1.APIGroupDiscoveryList
	if err := json.Unmarshal(data, &newer); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &beta); err != nil {
		t.Fatal(err)
	}
	newer.Items[0].Versions[0].Freshness = apidiscovery.DiscoveryFreshnessStale
	beta.Items[0].Versions[0].Freshness = apidiscoveryv2beta1.DiscoveryFreshnessStale
	g1, r1, f1 := SplitGroupsAndResources(newer)
	g2, r2, f2 := SplitGroupsAndResourcesV2Beta1(beta)
	if !reflect.DeepEqual(g1, g2) || !reflect.DeepEqual(r1, r2) || !reflect.DeepEqual(f1, f2) {
		t.Error("they differ")
	}
	if len(f1) != 1 || g1.Groups[0].PreferredVersion.Version != "v1beta1" {
		t.Errorf("the stale version: failed %v, preferred %v", f1, g1.Groups[0].PreferredVersion)
	}
}

func FuzzQuickDecoder(f *testing.F) {
	for _, data := range odd {
		f.Add([]byte(data))
	}
	f.Add(document(1)[:2000])
	f.Add([]byte(`{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"g","creationTimestamp":null},"versions":[{"version":"v1","resources":[{"resource":"xs","responseKind":{"group":"g","version":"v1","kind":"X"},"scope":"Cluster","verbs":["get"],"subresources":[{"subresource":"s","acceptedTypes":[{"kind":"Y"}],"responseKind":{"kind":"Z"}}]}],"freshness":"Current"}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) { sameAsThorough(t, data) })
}

func BenchmarkDecodeAggregated(b *testing.B) {
	data := document(100)
	for _, decoder := range []struct {
		name   string
		decode func([]byte) (picture, error)
	}{{"quickly", decodeAggregated}, {"thoroughly", decodeThoroughly}} {
		b.Run(decoder.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decoder.decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
