package image

import "testing"

func TestLikeness(t *testing.T) {
	shop := Reference{Repository: "registry.example.com:5000/acme/shop"}
	cases := []struct {
		repository Reference
		name       string
		want       Likeness
	}{
		{shop, "registry.example.com:5000/acme/shop", Same},
		{Reference{Repository: "nginx"}, "docker.io/library/nginx", Same},
		{shop, "acme/shop", Tail},
		{shop, "shop", Tail},
		{shop, "ghcr.io/other/shop", Namesake},
		{shop, "workshop", Other},
		{shop, "acme", Other},
		{shop, "registry.example.com:5000/acme/cart", Other},
		{shop, "", Other},
	}
	for _, test := range cases {
		if got := test.repository.Likeness(test.name); got != test.want {
			t.Errorf("%s is to %q %d, wanted %d", test.repository.Repository, test.name, got, test.want)
		}
	}
}

func TestNameCutsTagAndDigest(t *testing.T) {
	for reference, want := range map[string]string{
		"nginx": "nginx", "nginx:1": "nginx", "localhost:5000/a": "localhost:5000/a", "localhost:5000/a:1": "localhost:5000/a",
		"a@sha256:abc": "a", "a:1@sha256:abc": "a", "": "",
	} {
		if got := Name(reference); got != want {
			t.Errorf("%q: got %q, want %q", reference, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for repository, want := range map[string][2]string{
		"nginx": {"docker.io", "library/nginx"}, "acme/shop": {"docker.io", "acme/shop"},
		"ghcr.io/acme/shop": {"ghcr.io", "acme/shop"}, "localhost/shop": {"localhost", "shop"},
		"host:5000/a/b": {"host:5000", "a/b"},
	} {
		registry, name := Split(repository)
		if got := [2]string{registry, name}; got != want {
			t.Errorf("%q: got %v, want %v", repository, got, want)
		}
	}
}
