package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"
)

// monitoring has the alerts and the dashboard.
const monitoring = "../../docs/monitoring"

func promtool(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("promtool", args...)
	cmd.Dir = monitoring
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	promtool(t, "check", "rules", "--lint-fatal", "alerts.yaml")
	promtool(t, "test", "rules", "alerts_test.yaml")
}

var metric = regexp.MustCompile(`publisher_[a-z_]+`)

// exposed are the names of all metrics, those that histograms have too.
func exposed(t *testing.T) map[string]bool {
	t.Helper()
	descriptions := make(chan *prometheus.Desc, 100)
	New(nil).registry.Describe(descriptions)
	close(descriptions)
	names := make(map[string]bool)
	for d := range descriptions {
		name := regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1]
		names[name] = true
		if strings.HasSuffix(name, "_duration_seconds") && !strings.Contains(name, "destination") {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				names[name+suffix] = true
			}
		}
	}
	return names
}

func mustBeExposed(t *testing.T, names map[string]bool, where, expr string) {
	t.Helper()
	for _, name := range metric.FindAllString(expr, -1) {
		if !names[name] {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
}

func TestAlertsAreAboutMetricsThatAreThere(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(monitoring, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	mustBeExposed(t, exposed(t), "alerts.yaml", string(data))
}

// TestDashboardAsksForMetricsThatAreThere has promtool parse the queries, as those
// of recording rules.
func TestDashboardAsksForMetricsThatAreThere(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(monitoring, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &board); err != nil {
		t.Fatal(err)
	}
	names := exposed(t)
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	asked := make(map[string]bool)
	for _, p := range board.Panels {
		if len(p.Targets) == 0 || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d, %q, is not complete", p.ID, p.Title)
		}
		for i, target := range p.Targets {
			mustBeExposed(t, names, p.Title, target.Expr)
			for _, name := range metric.FindAllString(target.Expr, -1) {
				asked[name] = true
			}
			rules = append(rules, rule{fmt.Sprintf("panel:%d:%d", p.ID, i), target.Expr})
		}
	}
	file := filepath.Join(t.TempDir(), "queries.yaml")
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": board.Title, "rules": rules}}})
	if err == nil {
		err = os.WriteFile(file, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint-fatal", file)
	for name := range names {
		if strings.HasPrefix(name, "publisher_destination") && !asked[name] && name != "publisher_destination_failing" {
			t.Errorf("no panel shows %s", name)
		}
	}
}
