package chart

import (
	"math"
	"strconv"
	"testing"
)

// linear is light in linear sRGB: red, green, blue from 0 to 1.
type linear [3]float64

// lab is a colour in CIELAB, with the white of D65.
type lab struct{ l, a, b float64 }

// parse reads a colour as the palette writes it: #rrggbb.
func parse(t *testing.T, hex string) linear {
	t.Helper()
	n, err := strconv.ParseUint(hex[1:], 16, 24)
	if err != nil || hex[0] != '#' || len(hex) != 7 {
		t.Fatalf("%q is no colour: %v", hex, err)
	}
	var c linear
	for i := range c {
		v := float64(n>>(16-8*i)&0xff) / 255
		if v <= 0.04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return c
}

// sights are how people see colours: the matrices of Machado, Oliveira and Fernandes (2009) for a complete
// deficiency, which work on linear light.
var sights = []struct {
	name   string
	matrix [3]linear
}{
	{"normal", [3]linear{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
	{"protan", [3]linear{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}},
	{"deutan", [3]linear{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}},
	{"tritan", [3]linear{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}},
}

// seen is a colour by a sight, within what a screen shows.
func (c linear) seen(matrix [3]linear) linear {
	var out linear
	for i, row := range matrix {
		out[i] = min(1, max(0, row[0]*c[0]+row[1]*c[1]+row[2]*c[2]))
	}
	return out
}

func (c linear) lab() lab {
	x := (0.4124564*c[0] + 0.3575761*c[1] + 0.1804375*c[2]) / 0.95047
	y := c.luminance()
	z := (0.0193339*c[0] + 0.1191920*c[1] + 0.9503041*c[2]) / 1.08883
	f := func(v float64) float64 {
		if v > 216.0/24389 {
			return math.Cbrt(v)
		}
		return (24389.0/27*v + 16) / 116
	}
	return lab{116*f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))}
}

// luminance is the relative luminance of WCAG 2.
func (c linear) luminance() float64 { return 0.2126729*c[0] + 0.7151522*c[1] + 0.0721750*c[2] }

// contrast is the ratio of WCAG 2, from 1 to 21.
func contrast(a, b linear) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func square(v float64) float64 { return v * v }

// distance is CIEDE2000.
func distance(p, q lab) float64 {
	degrees := func(rad float64) float64 { return math.Mod(rad*180/math.Pi+360, 360) }
	cosine := func(deg float64) float64 { return math.Cos(deg * math.Pi / 180) }
	const far = 6103515625.0 // 25 to the power of 7
	mean := (math.Hypot(p.a, p.b) + math.Hypot(q.a, q.b)) / 2
	g := 0.5 * (1 - math.Sqrt(math.Pow(mean, 7)/(math.Pow(mean, 7)+far)))
	a1, a2 := p.a*(1+g), q.a*(1+g)
	c1, c2 := math.Hypot(a1, p.b), math.Hypot(a2, q.b)
	h1, h2 := degrees(math.Atan2(p.b, a1)), degrees(math.Atan2(q.b, a2))
	turn, h := 0.0, h1+h2
	if c1*c2 != 0 {
		turn = h2 - h1
		switch {
		case turn > 180:
			turn -= 360
		case turn < -180:
			turn += 360
		}
		switch {
		case math.Abs(h1-h2) <= 180:
			h /= 2
		case h < 360:
			h = (h + 360) / 2
		default:
			h = (h - 360) / 2
		}
	}
	dl, dc := q.l-p.l, c2-c1
	dh := 2 * math.Sqrt(c1*c2) * math.Sin(turn/2*math.Pi/180)
	l, c := (p.l+q.l)/2, (c1+c2)/2
	tone := 1 - 0.17*cosine(h-30) + 0.24*cosine(2*h) + 0.32*cosine(3*h+6) - 0.20*cosine(4*h-63)
	sl := 1 + 0.015*square(l-50)/math.Sqrt(20+square(l-50))
	sc := 1 + 0.045*c
	sh := 1 + 0.015*c*tone
	rt := -2 * math.Sqrt(math.Pow(c, 7)/(math.Pow(c, 7)+far)) * math.Sin(60*math.Exp(-square((h-275)/25))*math.Pi/180)
	return math.Sqrt(square(dl/sl) + square(dc/sc) + square(dh/sh) + rt*dc/sc*dh/sh)
}

// TestDistance compares distance with pairs that Sharma, Wu and Dalal (2005) publish to test it.
func TestDistance(t *testing.T) {
	for _, pair := range []struct {
		p, q lab
		want float64
	}{
		{lab{50, 2.6772, -79.7751}, lab{50, 0, -82.7485}, 2.0425},
		{lab{50, 2.8361, -74.0200}, lab{50, 0, -82.7485}, 3.4412},
		{lab{50, -1.3802, -84.2814}, lab{50, 0, -82.7485}, 1.0000},
		{lab{50, 0, 0}, lab{50, -1, 2}, 2.3669},
		{lab{50, 2.4900, -0.0010}, lab{50, -2.4900, 0.0009}, 7.1792},
		{lab{50, 2.4900, -0.0010}, lab{50, -2.4900, 0.0011}, 7.2195},
		{lab{50, -0.0010, 2.4900}, lab{50, 0.0009, -2.4900}, 4.8045},
		{lab{50, 2.5, 0}, lab{73, 25, -18}, 27.1492},
		{lab{60.2574, -34.0099, 36.2677}, lab{60.4626, -34.1751, 39.4387}, 1.2644},
		{lab{63.0109, -31.0961, -5.8663}, lab{62.8187, -29.7946, -4.0864}, 1.2630},
		{lab{22.7233, 20.0904, -46.6940}, lab{23.0331, 14.9730, -42.5619}, 2.0373},
		{lab{2.0776, 0.0795, -1.1350}, lab{0.9033, -0.0636, -0.5514}, 0.9082},
	} {
		for _, got := range []float64{distance(pair.p, pair.q), distance(pair.q, pair.p)} {
			if math.Abs(got-pair.want) > 0.00006 {
				t.Errorf("%v and %v: %.4f, want %.4f", pair.p, pair.q, got, pair.want)
			}
		}
	}
	white, black := parse(t, "#ffffff"), parse(t, "#000000")
	if w := white.lab(); math.Abs(w.l-100) > 0.01 || math.Abs(w.a) > 0.01 || math.Abs(w.b) > 0.01 {
		t.Errorf("white is %v", w)
	}
	if c := contrast(black, white); math.Abs(c-21) > 0.001 {
		t.Errorf("black on white has the contrast %f", c)
	}
}
