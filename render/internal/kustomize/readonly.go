package kustomize

import (
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// What a build over files that are there has no use for.

// Create fails.
func (s *fileSystem) Create(string) (filesys.File, error) { return nil, errReadOnly }

// Open fails: kustomize reads files as a whole.
func (s *fileSystem) Open(string) (filesys.File, error) { return nil, errReadOnly }

// Mkdir fails.
func (s *fileSystem) Mkdir(string) error { return errReadOnly }

// MkdirAll fails.
func (s *fileSystem) MkdirAll(string) error { return errReadOnly }

// RemoveAll fails.
func (s *fileSystem) RemoveAll(string) error { return errReadOnly }

// WriteFile fails.
func (s *fileSystem) WriteFile(string, []byte) error { return errReadOnly }

// ReadDir fails: a kustomization names its files one by one.
func (s *fileSystem) ReadDir(string) ([]string, error) { return nil, errReadOnly }

// Glob fails, for the same reason.
func (s *fileSystem) Glob(string) ([]string, error) { return nil, errReadOnly }

// Walk fails, for the same reason.
func (s *fileSystem) Walk(string, filepath.WalkFunc) error { return errReadOnly }
