package position

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"datasync/internal/model"
)

// Prefix begins the name of a position's table property and snapshot summary entry. The rest of the name is
// a digest of the origin.
const Prefix = "datasync.position."

// Key returns the name of the table property that holds the position of an origin.
func Key(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return Prefix + hex.EncodeToString(sum[:8])
}

// Format returns the property value of a position: a JSON object.
func Format(p model.LakePosition) string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // impossible for strings and integers
	}
	return string(text)
}

// Read returns the positions in the properties of a table, sorted by origin. It fails with ErrUnreadable.
func Read(properties map[string]string) ([]model.LakePosition, error) {
	var all []model.LakePosition
	for key, value := range properties {
		if !strings.HasPrefix(key, Prefix) {
			continue
		}
		var p model.LakePosition
		if err := json.Unmarshal([]byte(value), &p); err != nil || key != Key(p.Origin) || p.Rows < 0 || p.Batch < 0 {
			return nil, fmt.Errorf("%w: property %s has the value %q", ErrUnreadable, key, value)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b model.LakePosition) int { return cmp.Compare(a.Origin, b.Origin) })
	return all, nil
}

// Of returns the position of an origin, or nil.
func Of(all []model.LakePosition, origin string) *model.LakePosition {
	for _, p := range all {
		if p.Origin == origin {
			return &p
		}
	}
	return nil
}

// Others returns the positions of all other origins.
func Others(all []model.LakePosition, origin string) []model.LakePosition {
	var others []model.LakePosition
	for _, p := range all {
		if p.Origin != origin {
			others = append(others, p)
		}
	}
	return others
}

// Rows returns the sum of the positions' rows.
func Rows(all []model.LakePosition) int64 {
	var sum int64
	for _, p := range all {
		sum += p.Rows
	}
	return sum
}

// Next returns the position after a commit of rows with that checksum, up to a batch. last is the position
// before the commit, or nil.
func Next(last *model.LakePosition, origin, lineage, commit string, batch, rows, checksum int64) model.LakePosition {
	next := model.LakePosition{Origin: origin, Lineage: lineage, Batch: batch, Rows: rows, Checksum: checksum, Commit: commit}
	if last != nil {
		next.Rows += last.Rows
		// The sum of two numbers below 2^63 may exceed 2^63 - 1; the mask drops that bit.
		next.Checksum = int64((uint64(last.Checksum) + uint64(checksum)) & math.MaxInt64)
	}
	return next
}
