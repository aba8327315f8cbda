package main

import (
	"context"
	"time"

	"datasync/internal/bench/measure"
)

// answerRuns is how often a command that answers at once is run.
const answerRuns = 20

// answer is the median wall time of a command that answers at once.
type answer struct {
	command string
	wall    time.Duration
}

// answerTimes measures --help, and status on a file of all events.
func answerTimes(ctx context.Context, binary, file string) ([]answer, error) {
	var answers []answer
	for _, args := range [][]string{{"--help"}, {"--db", file, "status"}} {
		var walls []time.Duration
		for range answerRuns {
			cost, _, err := measure.Process(ctx, binary, args...)
			if err != nil {
				return nil, err
			}
			walls = append(walls, cost.Wall)
		}
		answers = append(answers, answer{"datasync " + args[len(args)-1], measure.Median(walls)})
	}
	return answers, nil
}
