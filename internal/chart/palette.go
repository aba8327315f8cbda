package chart

// Color names a colour of the stylesheet: a custom property, and the class that fills with it.
type Color string

// Colours of data. Slate is that of a single series and of totals, Red that of errors.
const (
	Slate  Color = "s"
	Pale   Color = "u" // bars under a line
	Red    Color = "t8"
	Blue   Color = "t1"
	Teal   Color = "t4"
	Other  Color = "o" // what has no colour of its own: hatched
	Strong Color = "k" // the colour of text
)

// Type is an event type with a colour of its own.
type Type struct {
	Name  string
	Color Color
}

// Types are the event types with a colour, from the bottom of a stack to its top. The order is fixed,
// because the colours are told apart from their neighbours.
func Types() []Type {
	return []Type{
		{"page_view", "t1"}, {"click", "t2"}, {"api_call", "t3"}, {"form_submit", "t4"},
		{"scroll", "t5"}, {"video_play", "t6"}, {"purchase", "t7"}, {"error", "t8"},
	}
}

// TypeColor is the colour of an event type, and [Other] for one that has none.
func TypeColor(name string) Color {
	for _, t := range Types() {
		if t.Name == name {
			return t.Color
		}
	}
	return Other
}

// rank is the place of a type's colour in a stack, from the bottom. Those that are of no type come last.
func (c Color) rank() int {
	for i, t := range Types() {
		if t.Color == c {
			return i
		}
	}
	return len(Types())
}

// tone is one colour in both themes, as CSS writes it.
type tone struct {
	property    string // without its two hyphens
	light, dark string
}

// tones are the palette. Least distances and contrasts are computed in the tests.
func tones() []tone {
	return []tone{
		{"page", "#fbfbf9", "#15181d"},
		{"panel", "#f2f2ee", "#1d2127"},
		{"text", "#191d23", "#e9ebee"},
		{"muted", "#565e69", "#a3abb6"},
		{"s", "#3f5065", "#aebac8"},
		{"u", "#8290a3", "#66758a"},
		{"band", "#dfe3e8", "#272d36"},
		{"edge", "#7d8591", "#77808c"},
		{"grid", "#e4e4df", "#2a2f37"},
		{"rule", "#d9dad4", "#343a43"},
		{"link", "#2f4fb8", "#9db4ff"},
		{"t1", "#4969d4", "#6084f3"},
		{"t2", "#b68629", "#f1a626"},
		{"t3", "#611889", "#8b5ea8"},
		{"t4", "#379d92", "#88d6c2"},
		{"t5", "#4a5362", "#7d8089"},
		{"t6", "#f3538e", "#fdabe9"},
		{"t7", "#256d4c", "#64aa85"},
		{"t8", "#bc0006", "#e23915"},
		{"good", "#1b6e42", "#62c48f"},
		{"warn", "#8a5a00", "#e6b450"},
		{"bad", "#b3000f", "#ff7a66"},
		{"h1", "#65989e", "#606787"},
		{"h2", "#38859a", "#5681ac"},
		{"h3", "#0d6f95", "#35a0c2"},
		{"h4", "#08578a", "#1dbec2"},
		{"h5", "#1b4076", "#5ed7b4"},
		{"h6", "#212b5a", "#a6e8a9"},
		{"h7", "#1d1a3a", "#e3f5b1"},
	}
}
