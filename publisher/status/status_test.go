package status_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"k8s.io/publisher/object"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/status"
)

func id(digit string) object.ID {
	id, err := object.ParseID([]byte(strings.Repeat(digit, 40)))
	if err != nil {
		panic(err)
	}
	return id
}

func minute(n int) time.Time { return time.Date(2026, 1, 2, 3, n, 0, 0, time.UTC) }

func run(n int, err string) status.Run {
	return status.Run{ID: "run", Cause: "interval", Started: minute(n - 1), Finished: minute(n), Error: err}
}

// outcome is a run at minute n that brings a from 1 to 2 and makes a tag there, and has
// nothing to do in b.
func outcome(n int, failures map[string]error) *status.Outcome {
	return &status.Outcome{
		Run: run(n, ""), Failures: failures, Took: map[string]time.Duration{"a": time.Second},
		Heads: map[string]object.ID{"main": id("9")},
		Plan: &plan.Plan{Destinations: []*plan.Destination{
			{
				Name: "a",
				Branches: []plan.Branch{
					{Name: "master", Source: "main", Action: plan.Update, Old: id("1"), New: id("2"), Commits: 1},
					{Name: "ended", Source: "gone", Action: plan.Skip},
				},
				Tags: []plan.Tag{
					{Source: "v1.0.0", Names: []string{"v0.0.0", "kubernetes-1.0.0"}, Action: plan.Unchanged},
					{Source: "v1.1.0", Names: []string{"v0.1.0", "kubernetes-1.1.0"}, Action: plan.Create},
					{Source: "light", Action: plan.Skip},
				},
			},
			{Name: "b", Branches: []plan.Branch{{Name: "master", Source: "main", Action: plan.Unchanged, Old: id("3"), New: id("3")}}},
		}},
	}
}

func text(t *testing.T, s *status.Status) string {
	t.Helper()
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSuccessIsNoted(t *testing.T) {
	two, three, nine := id("2").String(), id("3").String(), id("9").String()
	at := minute(5)
	want := &status.Status{Run: run(5, ""), Destinations: []status.Destination{
		{Name: "a", LastSuccess: &at, Seconds: 1, Tags: 4, Branches: []status.Branch{{Name: "master", Source: "main", SourceHead: nine, MirrorHead: two}}},
		{Name: "b", LastSuccess: &at, Branches: []status.Branch{{Name: "master", Source: "main", SourceHead: nine, MirrorHead: three}}},
	}}
	if diff := cmp.Diff(want, status.Next(nil, outcome(5, nil))); diff != "" {
		t.Error(diff)
	}
}

func TestFailureKeepsTheLastSuccessAndCountsWhatWaits(t *testing.T) {
	s := status.Next(nil, outcome(5, nil))
	s = status.Next(s, outcome(6, map[string]error{"a": errors.New("no luck")}))
	s = status.Next(s, outcome(7, map[string]error{"a": errors.New("still none")}))
	success, since, b := minute(5), minute(6), minute(7)
	want := []status.Destination{
		{
			Name: "a", LastSuccess: &success, Seconds: 1, FailingSince: &since, Error: "still none", Waiting: 3, Tags: 2,
			Branches: []status.Branch{{Name: "master", Source: "main", SourceHead: id("9").String(), MirrorHead: id("1").String()}},
		},
		{Name: "b", LastSuccess: &b, Branches: []status.Branch{{Name: "master", Source: "main", SourceHead: id("9").String(), MirrorHead: id("3").String()}}},
	}
	if diff := cmp.Diff(want, s.Destinations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a"}, s.Failed()); diff != "" {
		t.Error(diff)
	}
	if s = status.Next(s, outcome(8, nil)); s.Destinations[0].FailingSince != nil || s.Destinations[0].Error != "" || s.Failed() != nil {
		t.Errorf("after a success:\n%s", text(t, s))
	}
}

func TestRunWithoutAPlanFailsEverywhereAndKeepsWhatIsKnown(t *testing.T) {
	before := status.Next(nil, outcome(5, nil))
	s := status.Next(before, &status.Outcome{Run: run(6, "the source cannot be fetched")})
	for i, d := range s.Destinations {
		if d.Error != "the source cannot be fetched" || !d.FailingSince.Equal(minute(6)) {
			t.Errorf("%s: %q since %s", d.Name, d.Error, d.FailingSince)
		}
		d.Error, d.FailingSince = "", nil
		if diff := cmp.Diff(before.Destinations[i], d); diff != "" {
			t.Error(diff)
		}
	}
	if s := status.Next(nil, &status.Outcome{Run: run(1, "x")}); len(s.Destinations) != 0 || s.Run.Error != "x" {
		t.Errorf("without a report before:\n%s", text(t, s))
	}
}

func TestDestinationThatTheRulesNoLongerHaveIsForgotten(t *testing.T) {
	s := status.Next(nil, outcome(5, nil))
	o := outcome(6, nil)
	o.Plan.Destinations = o.Plan.Destinations[1:]
	if s = status.Next(s, o); len(s.Destinations) != 1 || s.Destinations[0].Name != "b" {
		t.Errorf("the report is\n%s", text(t, s))
	}
}

func TestNextChangesNothingInTheReportBefore(t *testing.T) {
	s := status.Next(nil, outcome(5, nil))
	before := text(t, s)
	status.Next(s, outcome(6, map[string]error{"a": errors.New("x")}))
	status.Next(s, &status.Outcome{Run: run(6, "x")})
	if after := text(t, s); after != before {
		t.Errorf("the report is\n%s\nand was\n%s", after, before)
	}
}

func TestReportIsReadAsItWasWritten(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "work")
	if s, err := status.Read(folder); s != nil || err != nil {
		t.Errorf("without a file: %v, %v", s, err)
	}
	want := status.Next(status.Next(nil, outcome(5, nil)), outcome(6, map[string]error{"a": errors.New("x")}))
	for range 2 {
		if err := want.Write(folder); err != nil {
			t.Fatal(err)
		}
	}
	got, err := status.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("files are left: %v, %v", files, err)
	}
	if err := os.WriteFile(status.Path(folder), []byte(`{"run`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := status.Read(folder); err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("of a torn file: %v", err)
	}
}

func TestJSONHasNoNulls(t *testing.T) {
	for _, o := range []*status.Outcome{outcome(5, nil), {Run: run(1, "")}, {Plan: &plan.Plan{Destinations: []*plan.Destination{{Name: "a"}}}}} {
		data, err := json.Marshal(status.Next(nil, o))
		if err != nil || strings.Contains(string(data), "null") {
			t.Errorf("%s, %v", data, err)
		}
	}
}
