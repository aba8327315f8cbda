package chart

import "strings"

// Styles returns the stylesheet of all drawings: the palette as custom properties on :root, and classes under
// .chart. A page may use the properties --page, --panel, --text, --muted, --rule, --link, --good, --warn and
// --bad. Dark follows prefers-color-scheme. Paper is always light.
func Styles() string {
	var light, dark strings.Builder
	for _, t := range tones() {
		light.WriteString("--" + t.property + ":" + t.light + ";")
		dark.WriteString("--" + t.property + ":" + t.dark + ";")
	}
	var fills strings.Builder
	for _, c := range []string{"s", "u", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "band", "edge", "page"} {
		fills.WriteString(".chart ." + c + "{fill:var(--" + c + ")}.chart .l-" + c + "{stroke:var(--" + c + ")}\n")
	}
	return ":root{color-scheme:light dark;" + light.String() + "}\n" +
		"@media screen and (prefers-color-scheme:dark){:root{" + dark.String() + "}}\n" +
		"@media print{:root{color-scheme:light;--page:#fff}}\n" +
		fills.String() + rules
}

// rules name the marks. The narrow form is for screens alone: A4 has less than 720 px between its margins.
const rules = `.chart{display:block;width:100%;height:auto;overflow:visible;print-color-adjust:exact}
.chart.narrow{display:none}
@media screen and (max-width:719.98px){.chart.wide{display:none}.chart.narrow{display:block;max-width:520px}}
.pair{display:flex;flex-wrap:wrap;justify-content:space-between}
.pair>*{width:47.78%}
@media screen and (max-width:719.98px){.pair>*{width:100%;max-width:520px}}
.chart.spark{width:132px;height:28px}
.chart text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans Condensed","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums;fill:var(--text)}
.chart text.m{fill:var(--muted)}
.chart text.b{font-weight:700}
.chart text.c{text-anchor:middle}
.chart text.e{text-anchor:end}
.chart text.bad{fill:var(--bad)}
.chart text.halo{stroke:var(--page);stroke-width:3px;stroke-linejoin:round}
.chart .k{fill:var(--text)}
.chart .l-k{stroke:var(--text)}
.chart .hit{fill:transparent}
.chart .grid{fill:none;stroke:var(--grid)}
.chart .axis{fill:none;stroke:var(--edge)}
.chart .tick{fill:none;stroke:var(--edge)}
.chart .lead{fill:none;stroke:var(--edge)}
.chart .hatch{fill:none;stroke:var(--edge);stroke-width:1.2}
.chart .o{fill:none;stroke:var(--s);stroke-width:1.2}
.chart .og{fill:var(--band)}
.chart .hair{fill:none;stroke:var(--page);stroke-width:.8}
.chart .stripe{fill:none;stroke:var(--page);stroke-width:1.6}
.chart .frame{fill:none;stroke:var(--edge);stroke-dasharray:4 3}
.chart .side{fill:none;stroke:var(--edge);stroke-dasharray:3 2}
.chart .area{fill:var(--band)}
.chart .bandedge{fill:none;stroke:var(--edge)}
.chart .line{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.chart .thin{fill:none;stroke-width:1.2;stroke-linejoin:round}
.chart .dash{fill:none;stroke-width:1.6;stroke-dasharray:3 3}
.chart .under{fill:none;stroke:var(--page);stroke-width:5;stroke-linejoin:round;stroke-linecap:round}
.chart .mean{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.chart .usual{fill:none;stroke-width:1.8}
.chart path.halo{fill:none;stroke:var(--page);stroke-width:3.6}
.chart .ring{fill:none;stroke:var(--text);stroke-width:2}
.chart .ring.in{stroke:var(--page)}
.chart .outline{fill:none;stroke:var(--edge)}
.chart .open{fill:var(--page);stroke-width:1.6}
.chart .ringed{fill:var(--text);stroke:var(--page);stroke-width:1.6}
.chart .hollow{fill:var(--page);stroke:var(--u)}
@media (forced-colors:active){.chart{forced-color-adjust:none;background:var(--page)}}
`
