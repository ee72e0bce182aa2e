package credential

// Secrets are the files with the secrets of a set, for who has to keep them from others.
func (s *Set) Secrets() (files []string) {
	if s == nil {
		return nil
	}
	for _, e := range s.entries {
		for _, file := range []string{e.TokenFile, e.KeyFile} {
			if file != "" {
				files = append(files, file)
			}
		}
		if e.GitHubApp != nil {
			files = append(files, e.GitHubApp.KeyFile)
		}
	}
	return files
}
