package model

// LakePlan is a request to datasync-lake: one line of JSON on its standard input. The end of that input
// means that datasync has ended, so datasync-lake ends too.
type LakePlan struct {
	// Version is the version of datasync; datasync-lake refuses a different one.
	Version string `json:"version"`
	// Do is one of the LakeDo constants.
	Do string `json:"do"`
	// Database is the path of the file to read, or of the copy that a running pull lends. Messages use
	// Name. Both are empty for an upload.
	Database string `json:"database,omitempty"`
	Name     string `json:"name,omitempty"`
	// Staging is an empty folder for the files of this plan, on the disk of the database.
	Staging string `json:"staging,omitempty"`
	// Memory bounds DuckDB's buffers, in bytes.
	Memory int64 `json:"memory,omitempty"`
	// CommitRows is the greatest number of rows in a commit, unless one batch has more; 0 means 5 million.
	CommitRows int64 `json:"commit_rows,omitempty"`
	// Endpoint is the URL of an S3 service other than AWS, or "".
	Endpoint string `json:"endpoint,omitempty"`
	// Table is the target of an export and of a status.
	Table *LakeTable `json:"table,omitempty"`
	// DryRun only plans. Replace overwrites this origin's rows in the table. Sweep only removes the files
	// of killed exports.
	DryRun  bool `json:"dry_run,omitempty"`
	Replace bool `json:"replace,omitempty"`
	Sweep   bool `json:"sweep,omitempty"`
	// Upload is the target of an upload.
	Upload *LakeUpload `json:"upload,omitempty"`
}

// The values of LakePlan.Do.
const (
	LakeDoExport = "export" // adds the new batches of a file to an Iceberg table
	LakeDoStatus = "status" // compares the position of an Iceberg table with a file
	LakeDoUpload = "upload" // copies an export to S3
)

// LakeTable names an Iceberg table and the layout of a new one.
type LakeTable struct {
	// Catalog is the URL of a REST catalog, or s3://BUCKET/PREFIX for a table without a catalog.
	Catalog string `json:"catalog"`
	// Name is NAMESPACE.TABLE, where a namespace may have several parts.
	Name string `json:"name"`
	// UUID is the type of id, session_id and user_id: string or uuid. PartitionBy is day or none. "" means
	// the existing table's value, or the default in a new table.
	UUID        string `json:"uuid,omitempty"`
	PartitionBy string `json:"partition_by,omitempty"`
}

// LakeUpload is an export for S3. Its files are in the staging folder of the plan.
type LakeUpload struct {
	// Target is s3://BUCKET/KEY of a file, or s3://BUCKET/FOLDER/ of a folder, which ends with a slash.
	Target string `json:"target"`
	// Files are the paths below the staging folder. The files of a folder are in one folder of any name.
	// Its manifest is last, beside that folder. Without files, the plan only checks that it may write the
	// target.
	Files []string `json:"files"`
	// Replace allows an existing target.
	Replace bool `json:"replace,omitempty"`
}

// LakeLine is a line of JSON that datasync-lake prints, with one field set. The last line is a result or an
// error.
type LakeLine struct {
	Progress *LakeProgress `json:"progress,omitempty"`
	// Warning is a message for the user: one line, lower case.
	Warning string      `json:"warning,omitempty"`
	Result  *LakeResult `json:"result,omitempty"`
	Error   *LakeError  `json:"error,omitempty"`
}

// LakeProgress is the progress of an export or an upload.
type LakeProgress struct {
	// Step is copy, upload or commit.
	Step string `json:"step"`
	// Done and Total are rows, or bytes for an upload, over all commits.
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// LakeError is the error of a failed plan.
type LakeError struct {
	Text  string `json:"text"`
	Code  int    `json:"code"`
	Topic string `json:"topic,omitempty"`
}

// LakeResult is the result of a plan.
type LakeResult struct {
	// Events is the table NAMESPACE.TABLE, and Rejected the table NAMESPACE.TABLE_rejected; nil
	// where there is none, and for an upload.
	Events   *LakeTableResult `json:"events,omitempty"`
	Rejected *LakeTableResult `json:"rejected,omitempty"`
	// Files and Bytes were uploaded; Removed files were left by killed exports.
	Files   int64 `json:"files"`
	Bytes   int64 `json:"bytes"`
	Removed int64 `json:"removed"`
}

// LakeTableResult is the state of a table, and the rows that the plan added to it.
type LakeTableResult struct {
	Table    string `json:"table"`
	Location string `json:"location"`
	// Snapshot is the table's current snapshot; nil if it has none. Metadata is the path of its
	// metadata file.
	Snapshot *int64 `json:"snapshot"`
	Metadata string `json:"metadata"`
	// Rows is the number of rows in the table. The plan added Added rows in Commits commits. With DryRun,
	// an export would add them.
	Rows    int64 `json:"rows"`
	Added   int64 `json:"added"`
	Commits int64 `json:"commits"`
	// Position is the table's position of the file's origin; nil if it has none.
	Position *LakePosition `json:"position"`
	// Batch is the last batch of the file that an export takes, and FileRows the number of rows up to it.
	Batch    int64 `json:"batch"`
	FileRows int64 `json:"file_rows"`
	// Others are the positions of other origins in the table.
	Others []LakePosition `json:"others,omitempty"`
}

// LakePosition says which batches of a file an Iceberg table has. It is a table property, set in the commit
// that adds the rows.
type LakePosition struct {
	Origin string `json:"origin"`
	// Lineage is the lineage in the file's table meta. Batch numbers alone do not identify rows: they
	// restart in a new file.
	Lineage string `json:"lineage"`
	// Batch is the last batch in the table, and Rows the number of this origin's rows.
	Batch int64 `json:"batch"`
	Rows  int64 `json:"rows"`
	// Checksum is the sum of the rows' checksums in the file, as in page_log, modulo 2^63.
	Checksum int64 `json:"checksum"`
	// Commit is the UUID of the commit. By it, an export recognizes its own commit after a lost response.
	Commit string `json:"commit"`
}
