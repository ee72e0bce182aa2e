package clientcmd_test

import (
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: dev
contexts:
- name: dev
  context: {cluster: dev, user: me, namespace: work}
clusters:
- name: dev
  cluster: {server: "https://dev.example.com:6443"}
users:
- name: me
  user: {token: secret}
`

// A program that was handed a kubeconfig makes its clients from it.
func ExampleRESTConfigFromKubeConfig() {
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(kubeconfig))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(config.Host)
	// Output: https://dev.example.com:6443
}

// A command line program has kubectl's flags, and they go before the files.
func ExampleBindOverrideFlags() {
	overrides := &clientcmd.ConfigOverrides{}
	flags := pflag.NewFlagSet("example", pflag.ContinueOnError)
	clientcmd.BindOverrideFlags(overrides, flags, clientcmd.RecommendedConfigOverrideFlags(""))
	if err := flags.Parse([]string{"--server=https://localhost:6443", "-n", "play"}); err != nil {
		fmt.Println(err)
		return
	}

	raw, err := clientcmd.Load([]byte(kubeconfig))
	if err != nil {
		fmt.Println(err)
		return
	}
	client := clientcmd.NewDefaultClientConfig(*raw, overrides)
	config, err := client.ClientConfig()
	if err != nil {
		fmt.Println(err)
		return
	}
	namespace, _, _ := client.Namespace()
	fmt.Println(config.Host, namespace)
	// Output: https://localhost:6443 play
}

// Errors tell what is wrong, all at once.
func ExampleValidate() {
	config := clientcmdapi.NewConfig()
	config.Clusters["dev"] = &clientcmdapi.Cluster{TLSServerName: "dev"}
	config.Contexts["dev"] = &clientcmdapi.Context{Cluster: "dev", AuthInfo: "me"}
	err := clientcmd.Validate(*config)
	fmt.Println(clientcmd.IsConfigurationInvalid(err))
	fmt.Println(err)
	// Output:
	// true
	// invalid configuration: [user "me" was not found for context "dev", no server found for cluster "dev"]
}
