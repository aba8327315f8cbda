package duck

import (
	"errors"
	"fmt"

	duckdb "github.com/duckdb/duckdb-go/v2" // also registers the driver
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Conn is a connection to an instance that database/sql has open. It uses the driver's public mapping
// of the C API. database/sql can neither insert whole columns nor read a result that is still being
// made. It is not safe for concurrent use, except for Progress.
type Conn struct {
	path string
	db   mapping.Database
	conn mapping.Connection
}

// Connect connects to the instance that this process has open at path with the same settings; other
// settings would make DuckDB wait forever. The caller closes the connection before the instance.
func Connect(path string, settings []Setting) (*Conn, error) {
	config, err := configOf(settings)
	if err != nil {
		return nil, err
	}
	defer mapping.DestroyConfig(&config)
	c := &Conn{path: path}
	var message string
	if mapping.GetOrCreateFromCache(duckdb.GetInstanceCache(), path, &c.db, config, &message) == mapping.StateError {
		mapping.Close(&c.db)
		return nil, errors.New(message)
	}
	if mapping.Connect(c.db, &c.conn) == mapping.StateError {
		mapping.Close(&c.db)
		return nil, errors.New("connect to DuckDB")
	}
	return c, nil
}

// ConnectMemory connects to a new, empty instance in memory. The caller closes the connection, which
// ends the instance.
func ConnectMemory(settings []Setting) (*Conn, error) {
	config, err := configOf(settings)
	if err != nil {
		return nil, err
	}
	defer mapping.DestroyConfig(&config)
	c := &Conn{path: ":memory:"}
	var message string
	if mapping.OpenExt(c.path, &c.db, config, &message) == mapping.StateError {
		return nil, errors.New(message)
	}
	if mapping.Connect(c.db, &c.conn) == mapping.StateError {
		mapping.Close(&c.db)
		return nil, errors.New("connect to DuckDB")
	}
	return c, nil
}

// configOf returns the settings as DuckDB takes them. The caller destroys them.
func configOf(settings []Setting) (mapping.Config, error) {
	var config mapping.Config
	if mapping.CreateConfig(&config) == mapping.StateError {
		return config, errors.New("create DuckDB configuration")
	}
	for _, s := range append([]Setting{{"duckdb_api", "go"}}, settings...) {
		if mapping.SetConfig(config, s.Name, s.Value) == mapping.StateError {
			mapping.DestroyConfig(&config)
			return config, fmt.Errorf("set DuckDB option %s", s.Name)
		}
	}
	return config, nil
}

// Path returns the path of the file.
func (c *Conn) Path() string { return c.path }

// Close closes the connection.
func (c *Conn) Close() {
	mapping.Disconnect(&c.conn)
	mapping.Close(&c.db)
}
