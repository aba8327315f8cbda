package chart

import (
	"unicode"
	"unicode/utf8"
)

// textSize is the height of text in units.
const textSize = 12.0

// Advance widths of DejaVu Sans and its bold, from U+0020 to U+007E, in thousandths of the text's height. It is
// wider than the other fonts of the stylesheet, so that text which fits by it fits in all of them.
var (
	regularWidths = [...]uint16{318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
		636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
		1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
		603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
		500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
		635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838}
	boldWidths = [...]uint16{348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365,
		696, 696, 696, 696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 580,
		1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775, 637, 995, 837, 850,
		733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838, 500,
		500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687,
		716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838}
)

// Width estimates the units that text of regular weight takes.
func Width(s string) float64 { return width(s, regularWidths[:]) }

// BoldWidth estimates the units that bold text takes.
func BoldWidth(s string) float64 { return width(s, boldWidths[:]) }

func width(s string, ascii []uint16) float64 {
	sum := 0
	for _, r := range s {
		switch {
		case r >= ' ' && r <= '~':
			sum += int(ascii[r-' '])
		case r == '\u00a0':
			sum += int(ascii[0])
		case r == '–', r == '·', r == '’':
			sum += 500
		case isMark(r):
		case cells(r) == 2:
			sum += 1050 // fallback fonts draw them on a square
		case r < 0x250:
			sum += 800
		default:
			sum += 1000
		}
	}
	return float64(sum) * textSize / 1000
}

func isMark(r rune) bool { return r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) }

// cells is the number of columns that a character takes in text of one width: two for those of East Asia
// and for most emoji (Unicode's annex 11), none for a mark on the character before it.
func cells(r rune) int {
	if isMark(r) {
		return 0
	}
	if r < 0x1100 {
		return 1
	}
	for _, w := range wideRunes {
		if r <= w.to {
			if r >= w.from {
				return 2
			}
			return 1
		}
	}
	return 1
}

// wideRunes are in order.
var wideRunes = [...]struct{ from, to rune }{
	{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23f3}, {0x25fd, 0x25fe}, {0x2600, 0x27bf},
	{0x2b1b, 0x2b1c}, {0x2b50, 0x2b55}, {0x2e80, 0x303e}, {0x3041, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0xa4cf},
	{0xa960, 0xa97f}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6f}, {0xff01, 0xff60},
	{0xffe0, 0xffe6}, {0x16fe0, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f64f},
	{0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
}

// cellsOf is the sum of a text's cells.
func cellsOf(s string) int {
	n := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		n += cells(r)
		i += size
	}
	return n
}
