package browser

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"unicode/utf16"
)

// PDF is what a PDF of Chromium's says of its pages and its structure.
type PDF struct {
	Pages int
	// Tags are the elements of the structure, in the order of the document.
	Tags []*Tag
}

// Tag is an element of a document that is printed.
type Tag struct {
	// Kind is the element's type: H2, Figure, Caption, Table, TR, TH, TD. The head of a column is a Head.
	Kind string
	// Alt is the text that replaces a picture; a figure of HTML has none.
	Alt string
	// Pages are those that have a part of it, from 1, in order.
	Pages []int
	// Parts are the elements in it.
	Parts []*Tag
}

var (
	pdfObject  = regexp.MustCompile(`(?ms)^(\d+) 0 obj\n(.*?)\nendobj`)
	pdfPage    = regexp.MustCompile(`/Type\s*/Page\b`)
	pdfKids    = regexp.MustCompile(`(?s)/Kids \[(.*?)\]`)
	pdfRef     = regexp.MustCompile(`(\d+) 0 R`)
	pdfKind    = regexp.MustCompile(`/S /(\w+)`)
	pdfAlt     = regexp.MustCompile(`(?s)/Alt (\(.*?[^\\]\)|<.*?>)`)
	pdfContent = regexp.MustCompile(`(?s)/K (\[.*?\]|\d+ 0 R|\d+)\s*(?:>>|\n)`)
	pdfMarked  = regexp.MustCompile(`(?s)<<.*?>>`)
	pdfOn      = regexp.MustCompile(`/Pg (\d+) 0 R`)
	pdfNumber  = regexp.MustCompile(`\d`)
)

// ReadPDF reads the structure of a PDF that Chromium has written, whose dictionaries are not compressed.
func ReadPDF(t testing.TB, printed []byte) PDF {
	t.Helper()
	r := pdfReader{objects: map[string][]byte{}, pages: map[string]int{}}
	root, document := "", ""
	for _, m := range pdfObject.FindAllSubmatch(printed, -1) {
		name, object := string(m[1]), m[2]
		r.objects[name] = object
		switch {
		case bytes.Contains(object, []byte("/Type /Pages")) && !bytes.Contains(object, []byte("/Parent")):
			root = name
		case bytes.Contains(object, []byte("/S /Document")):
			document = name
		}
	}
	if root == "" || document == "" {
		t.Fatalf("no pages or no structure in a PDF of %d bytes: %.20q", len(printed), printed)
	}
	r.number(root)
	r.tag(document)
	return PDF{len(r.pages), r.tags}
}

// pdfReader reads a PDF. Its keys are the numbers of objects.
type pdfReader struct {
	objects map[string][]byte
	pages   map[string]int
	tags    []*Tag
}

// number numbers the pages of a node of their tree.
func (r *pdfReader) number(node string) {
	if pdfPage.Match(r.objects[node]) {
		r.pages[node] = len(r.pages) + 1
		return
	}
	if kids := pdfKids.FindSubmatch(r.objects[node]); kids != nil {
		for _, ref := range pdfRef.FindAllSubmatch(kids[1], -1) {
			r.number(string(ref[1]))
		}
	}
}

// tag reads an element and its parts. Its content is a list of elements, and of numbers of marks on its own page or,
// in a dictionary, on another one.
func (r *pdfReader) tag(name string) *Tag {
	object := r.objects[name]
	tag := &Tag{}
	r.tags = append(r.tags, tag)
	if kind := pdfKind.FindSubmatch(object); kind != nil {
		tag.Kind = string(kind[1])
	}
	if tag.Kind == "TH" && bytes.Contains(object, []byte("/Scope /Column")) {
		tag.Kind = "Head"
	}
	if alt := pdfAlt.FindSubmatch(object); alt != nil {
		tag.Alt = pdfText(alt[1])
	}
	content := pdfContent.FindSubmatch(object)
	if content == nil {
		return tag
	}
	on := func(ref [][]byte) {
		if ref != nil {
			tag.Pages = append(tag.Pages, r.pages[string(ref[1])])
		}
	}
	for _, marked := range pdfMarked.FindAll(content[1], -1) {
		on(pdfOn.FindSubmatch(marked))
	}
	rest := pdfMarked.ReplaceAll(content[1], nil)
	for _, ref := range pdfRef.FindAllSubmatch(rest, -1) {
		part := r.tag(string(ref[1]))
		tag.Parts, tag.Pages = append(tag.Parts, part), append(tag.Pages, part.Pages...)
	}
	if pdfNumber.Match(pdfRef.ReplaceAll(rest, nil)) {
		on(pdfOn.FindSubmatch(pdfMarked.ReplaceAll(object[2:], nil)))
	}
	slices.Sort(tag.Pages)
	tag.Pages = slices.Compact(tag.Pages)
	return tag
}

// pdfText decodes a text: in brackets, or UTF-16 as hexadecimal digits after a mark of its order.
func pdfText(text []byte) string {
	if text[0] == '(' {
		return string(text[1 : len(text)-1])
	}
	b := make([]byte, hex.DecodedLen(len(text)-2))
	if _, err := hex.Decode(b, text[1:len(text)-1]); err != nil {
		return strconv.Quote(string(text))
	}
	var units []uint16
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
}
