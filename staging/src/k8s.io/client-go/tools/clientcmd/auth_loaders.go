package clientcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"k8s.io/client-go/internal/atomicfile"
	clientauth "k8s.io/client-go/tools/auth"
)

// AuthLoader gets the credentials that a file holds.
type AuthLoader interface {
	// LoadAuth returns the credentials in the file, or what takes their place
	// if there is no such file.
	LoadAuth(path string) (*clientauth.Info, error)
}

// NewDefaultAuthLoader returns an AuthLoader that only reads the file.
func NewDefaultAuthLoader() AuthLoader { return fileAuthLoader{} }

type fileAuthLoader struct{}

func (fileAuthLoader) LoadAuth(path string) (*clientauth.Info, error) {
	return clientauth.LoadFromFile(path)
}

// PromptingAuthLoader is an [AuthLoader] that asks for a user name and a
// password if there is no file.
type PromptingAuthLoader struct {
	reader io.Reader
}

var _ AuthLoader = &PromptingAuthLoader{}

// NewPromptingAuthLoader returns a PromptingAuthLoader that reads from reader.
// If that is a terminal, the password is not shown.
func NewPromptingAuthLoader(reader io.Reader) *PromptingAuthLoader {
	return &PromptingAuthLoader{reader: reader}
}

// LoadAuth returns the credentials in the file. If there is no such file, it
// asks for them and creates the file for its owner alone.
func (a *PromptingAuthLoader) LoadAuth(path string) (*clientauth.Info, error) {
	info, err := clientauth.LoadFromFile(path)
	if !os.IsNotExist(err) {
		return info, err
	}
	if info, err = a.Prompt(); err != nil {
		return nil, err
	}
	content, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	return info, atomicfile.Write(path, content, 0o600)
}

// Prompt asks for a user name and a password on standard output.
func (a *PromptingAuthLoader) Prompt() (*clientauth.Info, error) {
	user, err := a.ask("Username", a.line)
	if err != nil {
		return nil, err
	}
	password, err := a.ask("Password", a.secretLine)
	if err != nil {
		return nil, err
	}
	return &clientauth.Info{User: user, Password: password}, nil
}

func (a *PromptingAuthLoader) ask(question string, answer func() (string, error)) (string, error) {
	fmt.Printf("Please enter %s: ", question)
	text, err := answer()
	if err == nil && text == "" {
		err = errors.New("nothing was entered")
	}
	if err != nil {
		return "", fmt.Errorf("reading the %s: %w", strings.ToLower(question), err)
	}
	return text, nil
}

// line reads up to the end of a line and no further: what follows is for others
// to read.
func (a *PromptingAuthLoader) line() (string, error) {
	var line []byte
	for buffer := make([]byte, 1); ; {
		n, err := a.reader.Read(buffer)
		if n == 1 && buffer[0] == '\n' || err == io.EOF && len(line) != 0 {
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		if err != nil {
			return "", err
		}
		line = append(line, buffer[:n]...)
	}
}

// secretLine is like line, and does not show what is typed on a terminal.
func (a *PromptingAuthLoader) secretLine() (string, error) {
	terminal, ok := a.reader.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return a.line()
	}
	secret, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Println()
	return string(secret), err
}
