// Package chart draws figures as SVG: values in, text out. It knows no event, no file and no page.
//
// Every chart is a struct of plain values with two methods. Draw returns the drawing, in a wide and a
// narrow form; Table returns all figures behind it, also those that the drawing leaves out. The same
// values give the same bytes.
//
// A drawing needs no script, no network and no id, and carries no inline style: it is readable under
// "default-src 'none'" once a page has the text of [Styles]. Colours, the switch between the wide and the
// narrow form, dark mode and print are in that stylesheet alone.
//
// Units are those of the viewBox: a wide drawing has 720, a narrow one 358, text is 12 high in both. Times
// keep their location: a chart shows days and hours of the zone in which its times are, so that days have
// 23, 24 or 25 hours.
//
// Text from events is never trusted: [Visible] shows what could hide or reorder it, and the writer
// escapes the rest.
package chart
