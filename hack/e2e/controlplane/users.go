package controlplane

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// makeTokens writes the file of bearer tokens that the API server reads. Tokens of
// a directory that is continued stay.
func (cp *ControlPlane) makeTokens() error {
	path := cp.path("tokens.csv")
	cp.users = map[string]string{}
	if data, err := os.ReadFile(path); err == nil {
		r := csv.NewReader(bytes.NewReader(data))
		r.FieldsPerRecord = -1 // groups are optional
		rows, err := r.ReadAll()
		if err != nil {
			return fmt.Errorf("read the tokens in %s: %w", path, err)
		}
		for _, row := range rows {
			if len(row) > 1 {
				cp.users[row[1]] = row[0]
			}
		}
		return nil
	}
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	for _, u := range []struct{ name, groups string }{
		{AdminUser, "system:masters"},
		{LimitedUser, ""},
	} {
		var secret [32]byte
		rand.Read(secret[:]) // never fails
		token := hex.EncodeToString(secret[:])
		cp.users[u.name] = token
		row := []string{token, u.name, u.name}
		if u.groups != "" {
			row = append(row, u.groups)
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return writeSecret(path, file.Bytes())
}

// writeKubeconfigs writes a kubeconfig file for each way to authenticate.
func (cp *ControlPlane) writeKubeconfigs() error {
	cert, err := os.ReadFile(cp.path("admin.crt"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(cp.path("admin.key"))
	if err != nil {
		return err
	}
	token := func(user string) string { return "token: " + cp.users[user] }
	for _, k := range []struct {
		path                   *string
		file, user, credential string
	}{
		{&cp.AdminKubeconfig, "admin.kubeconfig", AdminUser, token(AdminUser)},
		{&cp.LimitedKubeconfig, "limited.kubeconfig", LimitedUser, token(LimitedUser)},
		{&cp.AdminCertKubeconfig, "admin-cert.kubeconfig", AdminUser,
			"client-certificate-data: " + base64.StdEncoding.EncodeToString(cert) +
				"\n    client-key-data: " + base64.StdEncoding.EncodeToString(key)},
	} {
		*k.path = cp.path(k.file)
		if err := writeSecret(*k.path, cp.kubeconfig(k.user, k.credential)); err != nil {
			return err
		}
	}
	return nil
}

func (cp *ControlPlane) kubeconfig(user, credential string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: %[2]s@controlplane
contexts:
- name: %[2]s@controlplane
  context:
    cluster: controlplane
    user: %[2]s
clusters:
- name: controlplane
  cluster:
    server: %[1]s
    certificate-authority-data: %[4]s
users:
- name: %[2]s
  user:
    %[3]s
`, cp.URL, user, credential, base64.StdEncoding.EncodeToString(cp.ca.pem))
}

// grantLimitedUser makes the limited user's role, and binds it.
func (cp *ControlPlane) grantLimitedUser(ctx context.Context) error {
	const group = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/"
	type object = map[string]any
	name := object{"name": "controlplane:" + LimitedUser}
	for _, o := range []struct {
		resource string
		object   object
	}{
		{"roles", object{"metadata": name, "rules": []object{{
			"apiGroups": []string{""}, "resources": []string{"configmaps", "pods"}, "verbs": []string{"get", "list", "watch"},
		}}}},
		{"rolebindings", object{"metadata": name,
			"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name["name"]},
			"subjects": []object{{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": LimitedUser}},
		}},
	} {
		body, err := json.Marshal(o.object)
		if err != nil {
			return err
		}
		// The API server is ready before it has made the namespace.
		err = poll(ctx, func() error {
			status, answer, err := cp.do(ctx, http.MethodPost, group+o.resource, body)
			switch {
			case err != nil:
				return err
			case status == http.StatusCreated, status == http.StatusConflict:
				return nil
			}
			return fmt.Errorf("create %s: %d %s", o.resource, status, answer)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// poll calls try until it succeeds, and returns its last error when ctx ends
// before that or half a minute has gone by.
func poll(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
