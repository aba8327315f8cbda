package export

import (
	"database/sql"
	"errors"
	"slices"
	"syscall"

	"datasync/internal/owned"
)

// checkFolderNames fails with ErrOptions if a value is too long for a folder's name. It tries
// the names in a folder, as the limit depends on the file system. An addition makes them only
// once its pending manifest is written, when it can no longer be taken back.
func checkFolderNames(dir *owned.Dir, src *source, keys []partitionKey, partitions []partition) error {
	partitions = slices.Clone(partitions)
	for i, k := range keys {
		slices.SortFunc(partitions, func(a, b partition) int {
			return len(hiveName(k.name, b.values[i])) - len(hiveName(k.name, a.values[i]))
		})
		var tooLong []sql.NullString
		for _, p := range partitions {
			name := hiveName(k.name, p.values[i])
			tried, err := dir.New(name)
			if err == nil {
				err = errors.Join(dir.RemoveAll(tried, name), tried.Close())
			}
			if err == nil {
				break // the names that follow are not longer
			}
			if !errors.Is(err, syscall.ENAMETOOLONG) {
				return err
			}
			tooLong = append(tooLong, p.values[i])
		}
		if len(tooLong) > 0 {
			return tooLongError(src, k.name, tooLong)
		}
	}
	return nil
}

// tooLongError names the longest value, and the condition that leaves all of them out.
func tooLongError(src *source, key string, values []sql.NullString) error {
	shortest := len(values[0].String)
	for _, v := range values {
		shortest = min(shortest, len(v.String))
	}
	where := "--where"
	if src.isQuery {
		where = "a WHERE in the query, such as"
	}
	return invalid("a value of %s is too long for a folder's name: %q, of %d bytes; partition by something else, or leave such rows out with %s 'coalesce(strlen(CAST(%s AS VARCHAR)), 0) < %d'",
		key, shorten(values[0].String), len(values[0].String), where, identifier(key), shortest)
}
