package export

import (
	"context"
	"fmt"
	"strings"

	"datasync/internal/human"
	"datasync/internal/inspect"
)

// maxFolders is the greatest number of partitions: readers open all of their files.
const maxFolders = 10_000

// readPartitions reads which partitions there are, in the order of their values. It fails with
// ErrOptions if there are too many.
func readPartitions(ctx context.Context, s *inspect.Session, src *source, keys []partitionKey) ([]partition, error) {
	numbers := "count(*), coalesce(min(" + src.sort.number + "), 0), coalesce(max(" + src.sort.number + "), 0)"
	query := src.rows(numbers)
	if len(keys) > 0 {
		aliases := keyAliases(keys)
		var texts, values []string
		for i, k := range keys {
			texts = append(texts, k.format(aliases[i]))
			values = append(values, k.value)
		}
		query = fmt.Sprintf("SELECT %s, n, first, last FROM (%s GROUP BY ALL) g(%s, n, first, last) ORDER BY ALL",
			strings.Join(texts, ", "), src.rows(strings.Join(values, ", ")+", "+numbers), strings.Join(aliases, ", "))
	}
	answers, err := ask(ctx, s, query, len(keys), 3)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if len(answers) > maxFolders {
		return nil, invalid("that makes %s, and the maximum is %s: partition by something coarser", human.Counted(int64(len(answers)), "folder"), human.Thousands(maxFolders))
	}
	partitions := make([]partition, len(answers))
	for i, a := range answers {
		partitions[i] = partition{values: a.texts, rows: a.numbers[0], first: a.numbers[1], last: a.numbers[2]}
	}
	return partitions, nil
}

// samplesPerFile is how many rows of each file are sampled to find where to cut.
const samplesPerFile = 128

// readSamples reads the sort key's number of a sample of rows, ascending, by the uniqueKey of their
// partition.
func readSamples(ctx context.Context, s *inspect.Session, src *source, keys []partitionKey, fileRows int64) (map[string][]int64, error) {
	step := max(1, min(1024, fileRows/samplesPerFile))
	var columns []string
	for _, k := range keys {
		columns = append(columns, k.format(k.value))
	}
	query := src.rows(strings.Join(append(columns, src.sort.number+" AS sort_key"), ", "), fmt.Sprintf("e.rowid %% %d = 0", step)) + " ORDER BY sort_key"
	answers, err := ask(ctx, s, query, len(keys), 1)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	samples := map[string][]int64{}
	for _, a := range answers {
		k := uniqueKey(a.texts)
		samples[k] = append(samples[k], a.numbers[0])
	}
	return samples, nil
}
