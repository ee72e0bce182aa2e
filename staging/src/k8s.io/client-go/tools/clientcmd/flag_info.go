package clientcmd

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// FlagInfo describes a command line flag: what it is called and what its help
// says. A program may change what the Recommended functions return before it
// binds it.
type FlagInfo struct {
	// LongName is the flag's name without dashes. A flag without it is not
	// bound.
	LongName string
	// ShortName is one character, or empty for none.
	ShortName string
	// Default is the flag's value unless it is given.
	Default string
	// Description is the flag's line in the help.
	Description string
}

// AddSecretAnnotation marks the flag as one whose value is not to be logged,
// and returns f.
func (f FlagInfo) AddSecretAnnotation(flags *pflag.FlagSet) FlagInfo {
	// The error tells that the flag was not bound; it has no value then.
	_ = flags.SetAnnotation(f.LongName, "classified", []string{"true"})
	return f
}

// BindStringFlag defines a flag that sets target to a string, and returns f.
func (f FlagInfo) BindStringFlag(flags *pflag.FlagSet, target *string) FlagInfo {
	if f.LongName != "" {
		flags.StringVarP(target, f.LongName, f.ShortName, f.Default, f.Description)
	}
	return f
}

// BindTransformingStringFlag defines a flag that sets target to what
// transformer makes of a string, and returns f. The default is not transformed.
func (f FlagInfo) BindTransformingStringFlag(flags *pflag.FlagSet, target *string, transformer func(string) (string, error)) FlagInfo {
	if f.LongName != "" {
		*target = f.Default
		flags.VarP(&transformingString{target, transformer}, f.LongName, f.ShortName, f.Description)
	}
	return f
}

// BindStringArrayFlag defines a flag that may be given several times, each time
// adding to target, and returns f.
func (f FlagInfo) BindStringArrayFlag(flags *pflag.FlagSet, target *[]string) FlagInfo {
	if f.LongName == "" {
		return f
	}
	var value []string
	if f.Default != "" {
		value = []string{f.Default}
	}
	flags.StringArrayVarP(target, f.LongName, f.ShortName, value, f.Description)
	return f
}

// BindBoolFlag defines a flag that sets target to true unless it is given as
// false, and returns f. A default that is no boolean counts as false.
func (f FlagInfo) BindBoolFlag(flags *pflag.FlagSet, target *bool) FlagInfo {
	if f.LongName != "" {
		value, _ := strconv.ParseBool(f.Default)
		flags.BoolVarP(target, f.LongName, f.ShortName, value, f.Description)
	}
	return f
}

// transformingString is a pflag.Value.
type transformingString struct {
	target    *string
	transform func(string) (string, error)
}

func (v *transformingString) String() string { return *v.target }

func (v *transformingString) Type() string { return "string" }

func (v *transformingString) Set(s string) error {
	value, err := v.transform(s)
	if err == nil {
		*v.target = value
	}
	return err
}

// RemoveNamespacesPrefix returns value without "ns/", "namespace/" or
// "namespaces/" in front, in whatever case. Nothing is removed if nothing would
// be left. The error is always nil.
func RemoveNamespacesPrefix(value string) (string, error) {
	prefix, name, found := strings.Cut(value, "/")
	if !found || name == "" {
		return value, nil
	}
	switch strings.ToLower(prefix) {
	case "ns", "namespace", "namespaces":
		return name, nil
	}
	return value, nil
}
