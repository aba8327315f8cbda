package growth

import (
	"fmt"
	"image/color"
	"io"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// panel is one of the plots: a figure of each step.
type panel struct {
	title  string
	figure func(Step) float64
	dashed func(Step) float64 // a second figure, drawn with dashes; may be nil
	legend bool               // says which colour is which series
}

func panels() [][]panel {
	return [][]panel{
		{
			{title: "million events/s", legend: true, figure: func(s Step) float64 { return s.Rate / 1e6 }},
			{title: "resident memory, MB", figure: func(s Step) float64 { return float64(s.RSS) / 1e6 }},
		},
		{
			{title: "commit, ms (dashed: the longest)", figure: func(s Step) float64 { return milliseconds(s.Median) },
				dashed: func(s Step) float64 { return milliseconds(s.Longest) }},
			{title: "file with log, MB", figure: func(s Step) float64 { return float64(s.FileSize) / 1e6 }},
		},
	}
}

// colours tell series apart, also for those who see no red.
func colours() []color.Color {
	return []color.Color{color.RGBA{B: 178, G: 114, A: 255}, color.RGBA{R: 213, G: 94, A: 255}}
}

// WritePlot draws the steps of up to two series against the events stored, as SVG.
func WritePlot(w io.Writer, names []string, steps [][]Step) error {
	if len(names) > len(colours()) {
		return fmt.Errorf("%d series are more than there are colours", len(names))
	}
	var plots [][]*plot.Plot
	for _, row := range panels() {
		var line []*plot.Plot
		for _, p := range row {
			drawn, err := p.draw(names, steps)
			if err != nil {
				return err
			}
			line = append(line, drawn)
		}
		plots = append(plots, line)
	}
	const width, height = 22 * vg.Centimeter, 14 * vg.Centimeter
	canvas := vgsvg.New(width, height)
	paper := draw.New(canvas)
	paper.SetColor(color.White) // dark pages would hide the axes
	paper.Fill(paper.Path())
	tiles := draw.Tiles{Rows: len(plots), Cols: len(plots[0]), PadX: vg.Centimeter, PadY: vg.Centimeter,
		PadTop: vg.Millimeter, PadBottom: vg.Millimeter, PadLeft: vg.Millimeter, PadRight: 5 * vg.Millimeter}
	for i, line := range plot.Align(plots, tiles, paper) {
		for j, place := range line {
			plots[i][j].Draw(place)
		}
	}
	_, err := canvas.WriteTo(w)
	return err
}

func (p panel) draw(names []string, steps [][]Step) (*plot.Plot, error) {
	drawn := plot.New()
	drawn.Legend.Left = true
	drawn.Title.Text = p.title
	drawn.X.Label.Text = "million events stored"
	drawn.X.Min, drawn.Y.Min = 0, 0
	drawn.Y.Tick.Marker = plot.TickerFunc(plainTicks)
	drawn.Add(plotter.NewGrid())
	for i := range names {
		line, err := lineOf(steps[i], p.figure)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = colours()[i], vg.Points(1.5)
		drawn.Add(line)
		if p.legend {
			drawn.Legend.Add(names[i], line)
		}
		if p.dashed == nil {
			continue
		}
		if line, err = lineOf(steps[i], p.dashed); err != nil {
			return nil, err
		}
		line.Color, line.Dashes = colours()[i], []vg.Length{vg.Points(3), vg.Points(3)}
		drawn.Add(line)
	}
	// The axis begins at zero, whatever the lines have made of it.
	drawn.Y.Min = 0
	return drawn, nil
}

// plainTicks are the usual ones without zeros behind the point.
func plainTicks(least, most float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(least, most)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = strconv.FormatFloat(ticks[i].Value, 'g', 4, 64)
		}
	}
	return ticks
}

func lineOf(steps []Step, figure func(Step) float64) (*plotter.Line, error) {
	points := make(plotter.XYs, len(steps))
	for i, s := range steps {
		points[i] = plotter.XY{X: float64(s.Stored) / 1e6, Y: figure(s)}
	}
	return plotter.NewLine(points)
}
