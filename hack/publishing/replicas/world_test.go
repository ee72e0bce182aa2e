package replicas

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/publisher/gitserver"
	"k8s.io/publisher/hack/e2e/controlplane"
	"k8s.io/publisher/proctest"
)

var (
	// publisher is the program as make build builds it.
	publisher     string
	kubectlBinary string
	plane         *controlplane.ControlPlane
)

func TestMain(m *testing.M) {
	code, err := setUp(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func setUp(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "replicas-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	// With the workspace the publisher has our client library.
	publisher = filepath.Join(dir, "publisher")
	build := exec.Command("go", "build", "-o", publisher, "./publisher")
	build.Dir = filepath.Join("..", "..", "..")
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GOWORK=") {
			build.Env = append(build.Env, v)
		}
	}
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the publisher: %w\n%s", err, out)
	}
	ctx := context.Background()
	if os.Getenv("CONTROLPLANE_BIN") == "" {
		// A build takes minutes, so it is told of.
		if _, err := controlplane.Build(ctx, os.Stderr, controlplane.Etcd, controlplane.APIServer); err != nil {
			return 1, err
		}
	}
	bin, err := controlplane.Build(ctx, os.Stderr, controlplane.Kubectl)
	if err != nil {
		return 1, err
	}
	kubectlBinary = filepath.Join(bin, controlplane.Kubectl)
	if plane, err = controlplane.Start(ctx, controlplane.Options{}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	return m.Run(), nil
}

// rules publish all from main, one of them over ssh.
const rules = `
remote: HTTPS
rules:
- destination: a
  branches:
  - name: master
    source: {branch: main, dir: a}
- destination: b
  branches:
  - name: master
    dependencies: [{repository: a, branch: master}]
    source: {branch: main, dir: b}
- destination: org/c
  remote: SSH
  branches:
  - name: master
    source: {branch: main, dir: c}
`

var destinations = []string{"a", "b", "org/c"}

// leaseDuration is short, for a test.
const leaseDuration = 3 * time.Second

// world is a source, remotes on a server, a namespace, and replicas of a publisher.
type world struct {
	*testing.T
	dir, source, rules string
	remotes            *gitserver.Repositories
	server             *gitserver.HTTP
	client             kubernetes.Interface
	namespace          string
	kubeconfig         string // of the replicas
	commits, started   int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{T: t, dir: dir, source: filepath.Join(dir, "source"), rules: filepath.Join(dir, "rules.yaml"), remotes: gitserver.New(t)}
	w.remotes.Create(destinations...)
	w.server = w.remotes.HTTP()
	w.server.Set(func(s *gitserver.HTTP) { s.Password = canary })
	ssh := w.remotes.SSH()
	w.write("rules.yaml", strings.NewReplacer("HTTPS", w.server.Template, "SSH", ssh.Template).Replace(rules))
	w.write("token", canary+"\n")
	host := ssh.Template[:strings.Index(ssh.Template, "/{{")]
	w.write("credentials.yaml", fmt.Sprintf("- {url: %q, token-file: token, ca-file: %q}\n- {url: %q, key-file: %q, known-hosts-file: %q}\n",
		w.server.URL, w.server.CA, host, ssh.Key, ssh.KnownHosts))
	w.git("", "init", "--quiet", "--initial-branch=main", w.source)
	for _, d := range []string{"a", "b", "c"} {
		mod := "module example.com/" + d + "\n\ngo 1.24\n"
		if d == "b" {
			mod += "\nrequire example.com/a v0.0.0\n\nreplace example.com/a => ../a\n"
		}
		w.commit(map[string]string{d + "/go.mod": mod, d + "/" + d + ".go": "package " + d + "\n"})
	}
	w.joinCluster()
	return w
}

// canary is a secret that must be in no log, argument or report.
const canary = "canary-6f1e0d"

func (w *world) joinCluster() {
	w.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", plane.AdminKubeconfig)
	w.must(err)
	w.client, err = kubernetes.NewForConfig(config)
	w.must(err)
	namespace, err := w.client.CoreV1().Namespaces().Create(w.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "publisher-"}}, metav1.CreateOptions{})
	w.must(err)
	w.namespace = namespace.Name

	// The replicas have the rights that the manifests give them, and no others.
	overlay, err := os.MkdirTemp(w.dir, "overlay-")
	w.must(err)
	deploy, err := filepath.Abs(manifests)
	w.must(err)
	base, err := filepath.Rel(overlay, filepath.Join(deploy, "base"))
	w.must(err)
	w.must(os.WriteFile(filepath.Join(overlay, "kustomization.yaml"), []byte("namespace: "+w.namespace+"\nresources: ["+base+"]\n"), 0o600))
	w.kubectl("apply", "--validate=strict", "-k", overlay)
	token, err := w.client.CoreV1().ServiceAccounts(w.namespace).CreateToken(w.Context(), "publisher", new(authenticationv1.TokenRequest), metav1.CreateOptions{})
	w.must(err)
	account := clientcmdapi.NewConfig()
	account.Clusters["plane"] = &clientcmdapi.Cluster{Server: plane.URL, CertificateAuthority: plane.CAFile}
	account.AuthInfos["publisher"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	account.Contexts["publisher"] = &clientcmdapi.Context{Cluster: "plane", AuthInfo: "publisher", Namespace: w.namespace}
	account.CurrentContext = "publisher"
	w.kubeconfig = filepath.Join(w.dir, "kubeconfig")
	w.must(clientcmd.WriteToFile(*account, w.kubeconfig))
}

// manifests are those of the publisher.
const manifests = "../../../publisher/deploy"

// kubectl runs kubectl as the administrator, and returns what it prints.
func (w *world) kubectl(args ...string) string {
	w.Helper()
	cmd := exec.Command(kubectlBinary, append([]string{"--kubeconfig", plane.AdminKubeconfig, "--cache-dir", filepath.Join(w.dir, "kubectl")}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) write(name, text string) {
	w.Helper()
	w.must(os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600))
}

// environment is that of all commands: none of the user's configuration counts.
func (w *world) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "GOCACHE=" + filepath.Join(w.dir, "gocache"), "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
	}
}

func (w *world) git(stdin string, args ...string) string {
	w.Helper()
	cmd := exec.Command("git", args...)
	cmd.Env, cmd.Stdin = w.environment(), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit adds a commit to the source's main.
func (w *world) commit(files map[string]string) {
	w.Helper()
	w.commits++
	var b strings.Builder
	fmt.Fprintf(&b, "commit refs/heads/main\ncommitter C O Mitter <c@example.com> %d +0000\ndata <<END\nChange %d\nEND\n", 1700000000+60*w.commits, w.commits)
	if w.commits > 1 {
		fmt.Fprintln(&b, "from refs/heads/main^0")
	}
	for name, text := range files {
		fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", name, len(text), text)
	}
	w.git(b.String(), "-C", w.source, "fast-import", "--quiet")
}

// change adds a commit that changes all that is published, and every fifth time a tag.
func (w *world) change() {
	w.Helper()
	files := make(map[string]string)
	for _, d := range []string{"a", "b", "c"} {
		files[fmt.Sprintf("%s/change%d.go", d, w.commits%7)] = fmt.Sprintf("package %s\n\n// Change %d\n", d, w.commits)
	}
	w.commit(files)
	if w.commits%5 == 0 {
		cmd := exec.Command("git", "-C", w.source, "tag", "-a", "-m", "Release", fmt.Sprintf("v1.%d.0", 20+w.commits), "main")
		cmd.Env = append(w.environment(), "GIT_COMMITTER_NAME=R", "GIT_COMMITTER_EMAIL=r@example.com", fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", 1700000000+60*w.commits))
		if out, err := cmd.CombinedOutput(); err != nil {
			w.Fatalf("%v\n%s", err, out)
		}
	}
}

// replica is one process.
type replica struct {
	*world
	name, url string
	args      []string
	cmd       *exec.Cmd
	log       *proctest.Output
	ended     chan error
}

// replica starts one, with mirrors of its own, which it keeps when it is started anew.
func (w *world) replica(name string, args ...string) *replica {
	w.Helper()
	r := &replica{world: w, name: name, args: args, log: new(proctest.Output)}
	r.start()
	return r
}

func (r *replica) start() {
	r.Helper()
	r.started++
	port := freePort(r.T)
	r.url = "http://" + port
	r.cmd = exec.Command(publisher, append([]string{
		"run", "--source", r.source, "--rules", r.world.rules, "--mirrors", filepath.Join(r.dir, r.name),
		"--credentials", filepath.Join(r.dir, "credentials.yaml"),
		"--listen", port, "--token-file", filepath.Join(r.dir, "token"), "--interval", "1h",
		"--leader-elect", "--kubeconfig", r.kubeconfig, "--namespace", r.namespace,
		"--identity", fmt.Sprintf("%s-%d", r.name, r.started), "--lease-duration", leaseDuration.String(),
	}, r.args...)...)
	r.cmd.Env = r.environment()
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	// Its own group, with which what it has started is paused and killed too.
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r.must(r.cmd.Start())
	ended := make(chan error, 1)
	cmd := r.cmd
	go func() { ended <- cmd.Wait() }()
	r.ended = ended
	r.Cleanup(func() {
		r.signal(syscall.SIGCONT)
		r.signal(syscall.SIGKILL)
		<-ended
		if r.Failed() {
			r.Logf("%s:\n%s", r.name, r.log)
		}
	})
	r.eventually(r.name+" takes requests", func() error {
		answer, err := http.Get(r.url + "/readyz")
		if err == nil {
			answer.Body.Close()
		}
		return err
	})
}

func (r *replica) signal(s syscall.Signal) { _ = syscall.Kill(-r.cmd.Process.Pid, s) }

// kill ends it as a machine that fails does.
func (r *replica) kill() {
	r.Helper()
	r.signal(syscall.SIGKILL)
	r.ended <- <-r.ended // once for all
}

// stop has it end.
func (r *replica) stop() error {
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	err := <-r.ended
	r.ended <- err
	return err
}

// request asks for a run.
func (r *replica) request() error {
	request, err := http.NewRequest(http.MethodPost, r.url+"/sync", nil)
	r.must(err)
	request.Header.Set("Authorization", "Bearer "+canary)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		return errors.New(answer.Status)
	}
	return nil
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually tries until there is no error, for much longer than it should take.
func (w *world) eventually(what string, try func() error) {
	w.Helper()
	end := time.Now().Add(3 * time.Minute)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			w.Fatalf("%s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// holder is who the lease names.
func (w *world) holder() string {
	lease, err := w.client.CoordinationV1().Leases(w.namespace).Get(context.Background(), "publisher", metav1.GetOptions{})
	if err != nil || lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// leader waits until the lease names one of the replicas as it runs now.
func (w *world) leader(among ...*replica) (leads, other *replica) {
	w.Helper()
	w.eventually("a leader", func() error {
		name := w.holder()
		for i, r := range among {
			if strings.Contains(strings.Join(r.cmd.Args, " "), "--identity "+name+" ") && name != "" {
				leads, other = r, among[(i+1)%len(among)]
				return nil
			}
		}
		return fmt.Errorf("%q leads", name)
	})
	return leads, other
}

// want are the refs that the remotes are to have: those of a publication from nothing,
// by one process that nothing disturbs.
func (w *world) want() string {
	w.Helper()
	mirrors, err := os.MkdirTemp(w.dir, "undisturbed-")
	w.must(err)
	w.run("sync", "--source", w.source, "--rules", w.rules, "--mirrors", mirrors, "--remote", "none")
	return w.refs(func(d string) string { return filepath.Join(mirrors, filepath.FromSlash(d), "mirror.git") })
}

// have are the refs that the remotes have.
func (w *world) have() string {
	w.Helper()
	return w.refs(w.remotes.Dir)
}

func (w *world) refs(dir func(destination string) string) string {
	w.Helper()
	var all strings.Builder
	for _, d := range destinations {
		lines := bufio.NewScanner(strings.NewReader(w.git("", "-C", dir(d), "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")))
		for lines.Scan() {
			fmt.Fprintln(&all, d, lines.Text())
		}
	}
	return all.String()
}

// run runs a verb of the publisher, and returns what it prints.
func (w *world) run(args ...string) string {
	w.Helper()
	cmd := exec.Command(publisher, args...)
	cmd.Env = w.environment()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		w.Fatalf("publisher %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return string(out)
}

// mustArrive waits until the remotes have all of the source, and no more.
func (w *world) mustArrive() {
	w.Helper()
	want := w.want()
	w.eventually("the remotes have what an undisturbed run makes", func() error {
		if have := w.have(); have != want {
			return fmt.Errorf("the remotes have\n%s\nnot\n%s", have, want)
		}
		return nil
	})
}
