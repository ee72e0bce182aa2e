package latest_test

import (
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/clientcmd/api/latest"
)

const kubeconfig = `apiVersion: v1
clusters:
- cluster:
    server: https://a
  name: a
contexts: null
current-context: x
kind: Config
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args: null
      command: c
      env: null
      interactiveMode: IfAvailable
      provideClusterInfo: false
`

func TestCodecAgreesWithClientcmd(t *testing.T) {
	object, err := runtime.Decode(latest.Codec, []byte(kubeconfig))
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.Load([]byte(kubeconfig))
	if err != nil {
		t.Fatal(err)
	}
	decoded := object.(*api.Config)
	if !reflect.DeepEqual(decoded.Clusters, config.Clusters) || !reflect.DeepEqual(decoded.AuthInfos, config.AuthInfos) || decoded.CurrentContext != config.CurrentContext {
		t.Errorf("got %#v, want %#v", decoded, config)
	}
	encoded, err := runtime.Encode(latest.Codec, config)
	if err != nil {
		t.Fatal(err)
	}
	if string(encoded) != kubeconfig {
		t.Errorf("got %s", encoded)
	}
}
