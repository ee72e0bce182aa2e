package v1_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/clientcmd/api/v1"
)

func TestMapsBecomeListsInTheOrderOfNames(t *testing.T) {
	in := &api.Config{
		Clusters:   map[string]*api.Cluster{"b": {Server: "b"}, "a": {Server: "a"}, "nil": nil},
		AuthInfos:  map[string]*api.AuthInfo{"z": {Token: "z"}, "y": {Token: "y"}},
		Contexts:   map[string]*api.Context{"2": {Cluster: "b"}, "1": {AuthInfo: "z"}},
		Extensions: map[string]runtime.Object{"f": nil, "e": &runtime.Unknown{Raw: []byte("1")}},
	}
	var got v1.Config
	if err := v1.Convert_api_Config_To_v1_Config(in, &got, nil); err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		Clusters:   []v1.NamedCluster{{Name: "a", Cluster: v1.Cluster{Server: "a"}}, {Name: "b", Cluster: v1.Cluster{Server: "b"}}, {Name: "nil"}},
		AuthInfos:  []v1.NamedAuthInfo{{Name: "y", AuthInfo: v1.AuthInfo{Token: "y"}}, {Name: "z", AuthInfo: v1.AuthInfo{Token: "z"}}},
		Contexts:   []v1.NamedContext{{Name: "1", Context: v1.Context{AuthInfo: "z"}}, {Name: "2", Context: v1.Context{Cluster: "b"}}},
		Extensions: []v1.NamedExtension{{Name: "e", Extension: runtime.RawExtension{Raw: []byte("1")}}, {Name: "f"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	var back api.Config
	if err := v1.Convert_v1_Config_To_api_Config(&got, &back, nil); err != nil {
		t.Fatal(err)
	}
	if back.Clusters["a"].Server != "a" || back.AuthInfos["z"].Token != "z" || back.Contexts["2"].Cluster != "b" {
		t.Errorf("got %+v", back)
	}
	if extension, ok := back.Extensions["e"].(*runtime.Unknown); !ok || string(extension.Raw) != "1" || extension.ContentType != runtime.ContentTypeJSON {
		t.Errorf("got %#v", back.Extensions["e"])
	}
}

func TestEmptyStaysNil(t *testing.T) {
	var onDisk v1.Config
	if err := v1.Convert_api_Config_To_v1_Config(api.NewConfig(), &onDisk, nil); err != nil || !reflect.DeepEqual(onDisk, v1.Config{}) {
		t.Errorf("got %#v, %v", onDisk, err)
	}
	var config api.Config
	if err := v1.Convert_v1_Config_To_api_Config(&v1.Config{Clusters: []v1.NamedCluster{}}, &config, nil); err != nil || !reflect.DeepEqual(config, api.Config{}) {
		t.Errorf("got %#v, %v", config, err)
	}
}

func TestTwoOfOneNameAreAnError(t *testing.T) {
	for kind, in := range map[string]v1.Config{
		"cluster": {Clusters: []v1.NamedCluster{{Name: "a"}, {Name: "b"}, {Name: "a"}}},
		"user":    {AuthInfos: []v1.NamedAuthInfo{{Name: "a", AuthInfo: v1.AuthInfo{Token: "s3cret"}}, {Name: "a"}}},
		"context": {Contexts: []v1.NamedContext{{Name: "a"}, {Name: "a"}}},
	} {
		err := v1.Convert_v1_Config_To_api_Config(&in, new(api.Config), nil)
		var duplicate *v1.DuplicateNameError
		if !errors.As(err, &duplicate) || duplicate.Kind != kind || duplicate.Name != "a" || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

func TestTwoExtensionsOfOneNameAreAnErrorUnlessOneIsNull(t *testing.T) {
	one, two := runtime.RawExtension{Raw: []byte("1")}, runtime.RawExtension{Raw: []byte("2")}
	for _, c := range []struct {
		what string
		in   []v1.NamedExtension
		bad  bool
	}{
		{"two", []v1.NamedExtension{{Name: "a", Extension: one}, {Name: "b", Extension: one}, {Name: "a", Extension: two}}, true},
		{"two that are alike", []v1.NamedExtension{{Name: "a", Extension: one}, {Name: "a", Extension: one}}, true},
		{"the first is null", []v1.NamedExtension{{Name: "a"}, {Name: "a", Extension: one}}, false},
	} {
		for place, config := range map[string]v1.Config{
			"config":      {Extensions: c.in},
			"preferences": {Preferences: v1.Preferences{Extensions: c.in}},
			"cluster":     {Clusters: []v1.NamedCluster{{Name: "c", Cluster: v1.Cluster{Extensions: c.in}}}},
			"user":        {AuthInfos: []v1.NamedAuthInfo{{Name: "u", AuthInfo: v1.AuthInfo{Extensions: c.in}}}},
			"context":     {Contexts: []v1.NamedContext{{Name: "x", Context: v1.Context{Extensions: c.in}}}},
		} {
			err := v1.Convert_v1_Config_To_api_Config(&config, new(api.Config), nil)
			var duplicate *v1.DuplicateNameError
			if found := errors.As(err, &duplicate) && duplicate.Kind == "extension" && duplicate.Name == "a"; found != c.bad || !c.bad && err != nil {
				t.Errorf("%s, in a %s: got %v", c.what, place, err)
			}
		}
	}
}
