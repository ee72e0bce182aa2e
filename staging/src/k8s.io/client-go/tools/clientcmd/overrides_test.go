package clientcmd_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func TestFlagsSetOverrides(t *testing.T) {
	var got clientcmd.ConfigOverrides
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	clientcmd.BindOverrideFlags(&got, flags, clientcmd.RecommendedConfigOverrideFlags("p-"))
	err := flags.Parse([]string{
		"--p-cluster=c", "--p-user=u", "--p-context=x", "-n", "namespaces/ns", "--p-server=s", "--p-tls-server-name=t",
		"--p-insecure-skip-tls-verify", "--p-client-certificate=cc", "--p-client-key=ck", "--p-certificate-authority=ca",
		"--p-token=to", "--p-as=a", "--p-as-uid=1", "--p-as-group=g,h", "--p-as-group=i", "--p-username=un", "--p-password=pw",
		"--p-request-timeout=3s", "--p-proxy-url=pu", "--p-disable-compression",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := clientcmd.ConfigOverrides{
		AuthInfo: clientcmdapi.AuthInfo{
			ClientCertificate: "cc", ClientKey: "ck", Token: "to", Impersonate: "a", ImpersonateUID: "1",
			ImpersonateGroups: []string{"g,h", "i"}, Username: "un", Password: "pw",
		},
		ClusterInfo: clientcmdapi.Cluster{
			Server: "s", TLSServerName: "t", InsecureSkipTLSVerify: true, CertificateAuthority: "ca", ProxyURL: "pu", DisableCompression: true,
		},
		Context:        clientcmdapi.Context{Cluster: "c", AuthInfo: "u", Namespace: "ns"},
		CurrentContext: "x",
		Timeout:        "3s",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestFlagsAreTheSameForAllPrograms(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.SortFlags = false
	clientcmd.BindOverrideFlags(&clientcmd.ConfigOverrides{}, flags, clientcmd.RecommendedConfigOverrideFlags(""))
	var got, secret []string
	flags.VisitAll(func(flag *pflag.Flag) {
		got = append(got, flag.Name+"="+flag.DefValue)
		if flag.Usage == "" {
			t.Errorf("%s has no help", flag.Name)
		}
		if flag.Annotations["classified"] != nil {
			secret = append(secret, flag.Name)
		}
	})
	want := []string{"client-certificate=", "client-key=", "token=", "as=", "as-uid=", "as-group=[]", "username=", "password=",
		"server=", "certificate-authority=", "insecure-skip-tls-verify=false", "tls-server-name=", "proxy-url=", "disable-compression=false",
		"cluster=", "user=", "namespace=", "context=", "request-timeout=0"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if want := []string{"client-certificate", "client-key", "token", "as", "as-uid", "as-group", "username", "password"}; !reflect.DeepEqual(secret, want) {
		t.Errorf("secret are %q", secret)
	}
}

func TestFlagWithoutNameIsNotBound(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	text, list, truth := "old", []string{"old"}, true
	var none clientcmd.FlagInfo
	none.BindStringFlag(flags, &text).AddSecretAnnotation(flags)
	none.BindTransformingStringFlag(flags, &text, clientcmd.RemoveNamespacesPrefix)
	none.BindStringArrayFlag(flags, &list)
	none.BindBoolFlag(flags, &truth)
	if flags.HasFlags() || text != "old" || len(list) != 1 || !truth {
		t.Errorf("got %q, %q, %v", text, list, truth)
	}
}

func TestFlagDefaults(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	var list []string
	var truth bool
	namespace := "old"
	clientcmd.FlagInfo{LongName: "list", Default: "a,b"}.BindStringArrayFlag(flags, &list)
	clientcmd.FlagInfo{LongName: "truth", Default: "true"}.BindBoolFlag(flags, &truth)
	clientcmd.FlagInfo{LongName: "namespace", Default: "ns/d"}.BindTransformingStringFlag(flags, &namespace, clientcmd.RemoveNamespacesPrefix)
	if !reflect.DeepEqual(list, []string{"a,b"}) || !truth || namespace != "ns/d" {
		t.Errorf("got %q, %v, %q", list, truth, namespace)
	}
}

func TestNamespacePrefixIsRemoved(t *testing.T) {
	for value, want := range map[string]string{
		"a": "a", "ns/a": "a", "NS/a": "a", "Namespace/a": "a", "namespaces/a/b": "a/b", "ns/": "ns/", "x/a": "x/a", "": "",
	} {
		if got, err := clientcmd.RemoveNamespacesPrefix(value); got != want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", value, got, err, want)
		}
	}
}

func TestParseTimeout(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"0": 0, "10": 10 * time.Second, "1.5s": 1500 * time.Millisecond, "3h": 3 * time.Hour,
		"": -1, "-1": -1, "1d": -1, "99999999999999": -1,
	} {
		got, err := clientcmd.ParseTimeout(value)
		if want == -1 && err == nil || want != -1 && (err != nil || got != want) {
			t.Errorf("%q: got %v, %v, want %v", value, got, err, want)
		}
	}
}
