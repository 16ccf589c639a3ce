package manifest

import (
	"slices"
	"strings"
	"testing"

	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/testkit"
)

func object(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n"
}

func TestManifests(t *testing.T) {
	cases := map[string]struct {
		files testkit.Files
		path  string
		want  string
	}{
		"a file":                 {testkit.Files{"app.yaml": object("a")}, "app.yaml", "a"},
		"the root":               {testkit.Files{"app.yaml": object("a")}, "", "a"},
		"several documents":      {testkit.Files{"app.yaml": "# head\n---\n" + object("a") + "---\n# only a comment\n--- # next\n" + object("b") + "...\n---\n"}, "app.yaml", "a b"},
		"line ends of Windows":   {testkit.Files{"app.yaml": strings.ReplaceAll(object("a")+"---\n"+object("b"), "\n", "\r\n")}, ".", "a b"},
		"a marker within a text": {testkit.Files{"app.yaml": object("a") + "data:\n  text: |\n    ---\n    b\n"}, ".", "a"},
		"files by name, folders too": {testkit.Files{
			"k/b.yml": object("b"), "k/a.yaml": object("a"), "k/a/z.yaml": object("z"), "k/c.json": `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"c"}}`,
			"k/.hidden.yaml": "not: read", "k/.git/x.yaml": "not: read", "k/README.md": "not read", "other.yaml": "not: read"}, "k/", "a z b c"},
		"lists":                      {testkit.Files{"app.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n- {apiVersion: v1, kind: SecretList, items: [{apiVersion: v1, kind: Secret, metadata: {name: b}}]}\n"}, ".", "a b"},
		"several JSON values":        {testkit.Files{"app.json": `{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}` + "\n" + `{"apiVersion":"v1","kind":"B","metadata":{"name":"b"}}`}, "app.json", "a b"},
		"aliases":                    {testkit.Files{"app.yaml": "apiVersion: v1\nkind: &k ConfigMap\nmetadata: {name: *k}\n"}, ".", "ConfigMap"},
		"a link within the checkout": {testkit.Files{"k/app.yaml": "-> ../real/app.yaml", "real/app.yaml": object("a")}, "k", "a"},
		"a folder that is a link":    {testkit.Files{"k": "-> real", "real/app.yaml": object("a")}, "k", "a"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			result := testkit.Render(t, Run, Request{Root: testkit.Tree(t, test.files), Path: test.path})
			var got []string
			for _, one := range testkit.Names(result.Objects) {
				got = append(got, one[strings.Index(one, "/")+1:])
			}
			if want := strings.Fields(test.want); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestNumbersStayAsTheyAre(t *testing.T) {
	text := object("a") + "data: {big: 9007199254740993, octal: 0644, float: 1.50, text: \"1\", yes: no}\n"
	result := testkit.Render(t, Run, Request{Root: testkit.Tree(t, testkit.Files{"a.yaml": text})})
	got := string(testkit.JSON(t, result.Objects[0].Object["data"]))
	if want := `{"big":9007199254740993,"float":1.5,"octal":420,"text":"1","true":false}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRefused(t *testing.T) {
	deep := object("a") + "data: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n"
	cases := map[string]struct {
		files   testkit.Files
		path    string
		reason  string
		place   string
		line    int
		message string
	}{
		"no YAML in a second document": {testkit.Files{"a.yaml": object("a") + "---\nkind: x\n b: c\n"}, ".", failure.YAMLInvalid, "a.yaml", 7, "mapping values"},
		"a key that stands twice":      {testkit.Files{"a.yaml": object("a") + "---\n" + object("b") + "kind: Secret\n"}, ".", failure.YAMLInvalid, "a.yaml", 10, `key "kind" already set`},
		"no JSON":                      {testkit.Files{"a.json": "{\n\"a\": 1,\n}"}, ".", failure.YAMLInvalid, "a.json", 3, "JSON: invalid character"},
		"no object":                    {testkit.Files{"a.yaml": object("a") + "---\n- a\n"}, ".", failure.ObjectInvalid, "a.yaml", 5, "it is a list"},
		"no kind":                      {testkit.Files{"a.yaml": "apiVersion: v1\nmetadata: {name: a}\n"}, ".", failure.ObjectInvalid, "a.yaml", 1, `"kind" is missing`},
		"a name that is made up":       {testkit.Files{"a.yaml": "apiVersion: v1\nkind: Job\nmetadata: {generateName: a-}\n"}, ".", failure.ObjectInvalid, "a.yaml", 1, "no stable name"},
		"a kustomization":              {testkit.Files{"kustomization.yaml": "resources: []\n"}, ".", failure.ObjectInvalid, "kustomization.yaml", 0, "type kustomize"},
		"an empty folder":              {testkit.Files{"a.txt": ""}, ".", failure.PathNotFound, ".", 0, "No *.yaml"},
		"a path that is not there":     {testkit.Files{}, "k", failure.PathNotFound, "k", 0, "Not found"},
		"a path out of the checkout":   {testkit.Files{}, "a/../../b", failure.PathEscapes, "", 0, "leads out"},
		"a link out of the checkout":   {testkit.Files{"a.yaml": "-> /etc/hostname"}, ".", failure.PathEscapes, "a.yaml", 0, "leads out"},
		"a link as the path":           {testkit.Files{"k": "-> /etc"}, "k", failure.PathEscapes, "k", 0, "leads out"},
		"a link to nowhere":            {testkit.Files{"a.yaml": "-> b.yaml"}, ".", failure.PathNotFound, "a.yaml", 0, "Not found"},
		"too deep":                     {testkit.Files{"a.yaml": deep}, ".", failure.ObjectInvalid, "a.yaml", 1, "levels deep"},
		"too many files":               {many(10_001), ".", failure.InputTooLarge, ".", 0, "More than 10000 files"},
		"too many objects":             {testkit.Files{"a.yaml": strings.Repeat("---\n"+object("a"), 1001)}, ".", failure.TooManyObjects, "", 0, "Rendered 1001 objects"},
		"a huge file":                  {testkit.Files{"a.yaml": strings.Repeat("#\n", 5<<20)}, ".", failure.InputTooLarge, "a.yaml", 0, "larger than 8 MiB"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			asked := Request{Root: testkit.Tree(t, test.files), Path: test.path}
			refused := testkit.Refused(t, Run, asked, test.reason, test.message)
			if refused.File != test.place || refused.Line != test.line {
				t.Errorf("at %q:%d, wanted %q:%d", refused.File, refused.Line, test.place, test.line)
			}
		})
	}
}

func many(count int) testkit.Files {
	files := testkit.Files{}
	for range count {
		files["d/"+strings.Repeat("x", len(files)%200+1)+string(rune('a'+len(files)/200))+".yaml"] = ""
	}
	return files
}
