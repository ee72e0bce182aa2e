package sandbox

import (
	"bytes"
	"os"
	"strconv"
)

// process is what proc(5) tells of one.
type process struct {
	pid, parent, threads int
	memory               int64 // in bytes, that no file backs
	dead                 bool  // and nobody has asked yet
}

// descendants are all processes that this one has started, directly or not. It goes
// by what /proc calls itself, which may be that of another namespace.
func descendants() []process {
	name, err := os.Readlink("/proc/self")
	if err != nil {
		return nil
	}
	self, err := strconv.Atoi(name)
	if err != nil {
		return nil
	}
	entries, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer entries.Close()
	names, _ := entries.Readdirnames(-1)
	children := make(map[int][]process)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == self {
			continue
		}
		if p, ok := readProcess(pid); ok {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	var all []process
	for queue := []int{self}; len(queue) > 0; queue = queue[1:] {
		for _, p := range children[queue[0]] {
			all = append(all, p)
			queue = append(queue, p.pid)
		}
	}
	return all
}

// readProcess reads /proc/PID/status. A process may be gone by then.
func readProcess(pid int) (process, bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return process{}, false
	}
	p := process{pid: pid}
	for line := range bytes.Lines(data) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		fields := bytes.Fields(value)
		if len(fields) == 0 {
			continue
		}
		number := func() int64 {
			n, _ := strconv.ParseInt(string(fields[0]), 10, 64)
			return n
		}
		switch string(key) {
		case "State":
			p.dead = fields[0][0] == 'Z' || fields[0][0] == 'X'
		case "PPid":
			p.parent = int(number())
		case "Threads":
			p.threads = int(number())
		case "RssAnon", "RssShmem":
			p.memory += number() << 10
		}
	}
	return p, true
}
