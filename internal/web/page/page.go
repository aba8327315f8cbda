package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"strings"
)

//go:embed page.html page.css script/*.js
var files embed.FS

// scripts are the parts of the page's script, in the order in which they run as one module.
var scripts = []string{"words", "access", "stream", "status", "sections", "complete", "history", "query", "start"}

// Document is the live page.
type Document struct {
	// HTML is the whole document in UTF-8.
	HTML []byte
	// Policy is the content security policy that it needs, for the header of the answer.
	Policy string
}

// New returns the document. styles is the stylesheet of the sections that the server streams; the page's own
// comes after it.
func New(styles string) Document {
	styles = strings.TrimSpace(styles + "\n" + read("page.css")) // validators hash an element without the space around it
	var all strings.Builder
	for _, name := range scripts {
		all.WriteString(read("script/" + name + ".js"))
	}
	script := strings.TrimSpace(all.String())
	html := strings.NewReplacer("/*styles*/", styles, "/*script*/", script).Replace(read("page.html"))
	return Document{HTML: []byte(html), Policy: policy(styles, script)}
}

// policy allows the inline style and script by their hashes, requests to the server itself, and the icon inside
// the document. Markup comes in through the one Trusted Types policy of script/sections.js.
func policy(styles, script string) string {
	return "default-src 'none'; script-src " + hash(script) + "; style-src " + hash(styles) +
		"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" +
		"; require-trusted-types-for 'script'; trusted-types datasync-section"
}

// hash is a source expression for an inline element with this text.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func read(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}
