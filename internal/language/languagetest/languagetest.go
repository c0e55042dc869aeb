package languagetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/internal/language"
)

// Package says where the texts of a package are. A sentence, which is what begins with a capitalized word and a space, is one
// wherever it stands; these are those that are none.
type Package struct {
	Dir string
	// Says are functions and methods, by name, with the index of their argument that is a text.
	Says map[string]int
	// Fields are the fields of structures that hold texts.
	Fields []string
	// NoSentences: only what Says and Fields find is for people who use a protocol.
	NoSentences bool
	// Except are the sentences that no person who uses a protocol sees.
	Except []string
}

var sentence = regexp.MustCompile(`^[A-Z][a-z]+,? [^ ]`)

// Run fails the test for every constant text of the package that some language does not have. It returns how many there are.
func Run(t *testing.T, p Package) int {
	t.Helper()
	files := parse(t, p.Dir)
	w := &walk{Package: p, consts: make(map[string]ast.Expr), found: make(map[string]token.Pos), skip: make(map[ast.Expr]bool)}
	for _, f := range files {
		ast.Inspect(f, w.constants)
	}
	for _, f := range files {
		ast.Inspect(f, w.texts)
	}
	for text, pos := range w.found {
		if !language.Translated(text) && !slices.Contains(p.Except, text) {
			t.Errorf("%s: %q has no translation in internal/language", fileSet.Position(pos), text)
		}
	}
	return len(w.found)
}

var fileSet = token.NewFileSet()

func parse(t *testing.T, dir string) []*ast.File {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no Go files (%v)", dir, err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fileSet, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

type walk struct {
	Package
	consts map[string]ast.Expr
	found  map[string]token.Pos
	skip   map[ast.Expr]bool // seen as parts of others
}

// constants collects constants by name. Where one name is declared twice, the texts of both are wanted under either.
func (w *walk) constants(n ast.Node) bool {
	if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
		for i, name := range spec.Names {
			if _, isText := w.text(spec.Values[i]); isText {
				w.consts[name.Name] = spec.Values[i]
			}
		}
	}
	return true
}

func (w *walk) texts(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return false
	case *ast.CallExpr:
		if i, ok := w.Says[called(n)]; ok && i < len(n.Args) {
			w.add(n.Args[i])
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Help" { // of a metric
			return false
		} else if ok && slices.Contains(w.Fields, key.Name) {
			w.add(n.Value)
		}
	case *ast.BinaryExpr:
		if text, ok := w.text(n); ok {
			w.skip[n.X], w.skip[n.Y] = true, true
			w.sentence(n, text)
		}
	case *ast.BasicLit:
		if text, ok := w.text(n); ok && !w.skip[n] {
			w.sentence(n, text)
		}
	}
	return true
}

func (w *walk) sentence(e ast.Expr, text string) {
	if !w.NoSentences && sentence.MatchString(text) {
		w.found[text] = e.Pos()
	}
}

func (w *walk) add(e ast.Expr) {
	if text, ok := w.text(e); ok && text != "" {
		w.found[text] = e.Pos()
	}
}

// text returns the value of a constant expression.
func (w *walk) text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	case *ast.Ident:
		if value, ok := w.consts[e.Name]; ok {
			return w.text(value)
		}
	case *ast.BinaryExpr:
		x, okX := w.text(e.X)
		y, okY := w.text(e.Y)
		return x + y, e.Op == token.ADD && okX && okY
	}
	return "", false
}

func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
