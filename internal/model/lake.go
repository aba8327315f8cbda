package model

// LakePlan is what datasync-lake is asked to do: one line of JSON on its standard input. The end of
// that input means that datasync has ended, so datasync-lake ends as well.
type LakePlan struct {
	// Version is that of datasync; datasync-lake refuses another one.
	Version string `json:"version"`
	// Do is one of the LakeDo constants.
	Do string `json:"do"`
	// Database is the path of the file to read, or of the copy that a running pull lends. Name is
	// how messages call it. Both are empty for an upload.
	Database string `json:"database,omitempty"`
	Name     string `json:"name,omitempty"`
	// Staging is an empty folder for the files of this plan, on the disk of the database.
	Staging string `json:"staging,omitempty"`
	// Memory bounds DuckDB's buffers, in bytes.
	Memory int64 `json:"memory,omitempty"`
	// CommitRows is how many rows a commit has at most, unless a batch alone has more; 0 is 5 million.
	CommitRows int64 `json:"commit_rows,omitempty"`
	// Endpoint is the URL of an S3 service other than AWS, or "".
	Endpoint string `json:"endpoint,omitempty"`
	// Table is the target of an export and of a status.
	Table *LakeTable `json:"table,omitempty"`
	// DryRun plans and changes nothing. Replace overwrites what the table has of this origin. Sweep
	// only removes the files of exports that were killed.
	DryRun  bool `json:"dry_run,omitempty"`
	Replace bool `json:"replace,omitempty"`
	Sweep   bool `json:"sweep,omitempty"`
	// Upload is the target of an upload.
	Upload *LakeUpload `json:"upload,omitempty"`
}

// What a LakePlan asks for.
const (
	LakeDoExport = "export" // adds the new batches of a file to an Iceberg table
	LakeDoStatus = "status" // compares the position of an Iceberg table with a file
	LakeDoUpload = "upload" // copies an export to S3
)

// LakeTable names an Iceberg table and says how it is created.
type LakeTable struct {
	// Catalog is the URL of a REST catalog, or s3://BUCKET/PREFIX for a table without a catalog.
	Catalog string `json:"catalog"`
	// Name is NAMESPACE.TABLE, where a namespace may have several parts.
	Name string `json:"name"`
	// UUID is the type of id, session_id and user_id: string or uuid. PartitionBy is day or none.
	// Both are "" for what the table has, or the default in a new one.
	UUID        string `json:"uuid,omitempty"`
	PartitionBy string `json:"partition_by,omitempty"`
}

// LakeUpload is an export that goes to S3. The files are in the staging folder of the plan.
type LakeUpload struct {
	// Target is s3://BUCKET/KEY of a file, or s3://BUCKET/FOLDER/ of a folder, which ends with a slash.
	Target string `json:"target"`
	// Files are the paths below the staging folder. Those of a folder are in one of any name, and its
	// manifest is last, beside that folder. None only checks that the target can be written.
	Files []string `json:"files"`
	// Replace allows a target that exists.
	Replace bool `json:"replace,omitempty"`
}

// LakeLine is a line of JSON that datasync-lake prints; one of its fields is set. The last line is a
// result or an error.
type LakeLine struct {
	Progress *LakeProgress `json:"progress,omitempty"`
	// Warning is for a person: one line, lower case.
	Warning string      `json:"warning,omitempty"`
	Result  *LakeResult `json:"result,omitempty"`
	Error   *LakeError  `json:"error,omitempty"`
}

// LakeProgress says how far an export or an upload is.
type LakeProgress struct {
	// Step is copy, upload or commit.
	Step string `json:"step"`
	// Done of Total are rows, or bytes for the plan of an upload. They count over all commits.
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// LakeError is why a plan failed.
type LakeError struct {
	Text  string `json:"text"`
	Code  int    `json:"code"`
	Topic string `json:"topic,omitempty"`
}

// LakeResult is what a plan did. An export that was interrupted has committed the parts that its
// position names.
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

// LakeTableResult is what a table has, and what the plan added to it.
type LakeTableResult struct {
	Table    string `json:"table"`
	Location string `json:"location"`
	// Snapshot is the table's current snapshot; nil if it has none. Metadata is the path of its
	// metadata file.
	Snapshot *int64 `json:"snapshot"`
	Metadata string `json:"metadata"`
	// Rows are all rows of the table, Added those of this plan, in Commits commits. With DryRun,
	// Added and Commits are what an export would do.
	Rows    int64 `json:"rows"`
	Added   int64 `json:"added"`
	Commits int64 `json:"commits"`
	// Position is what the table has of the file's origin; nil if nothing.
	Position *LakePosition `json:"position"`
	// Batch is the last batch of the file that an export takes, and FileRows are its rows up to that.
	Batch    int64 `json:"batch"`
	FileRows int64 `json:"file_rows"`
	// Others are the origins of other files that the table has.
	Others []LakePosition `json:"others,omitempty"`
}

// LakePosition says how far an Iceberg table has the events of a file. It is a property of the
// table, set in the commit that adds the rows.
type LakePosition struct {
	Origin string `json:"origin"`
	// Lineage is that of the file in its table meta: batch numbers restart in a file pulled anew.
	Lineage string `json:"lineage"`
	// Batch is the last batch that is there, and Rows are the rows of this origin.
	Batch int64 `json:"batch"`
	Rows  int64 `json:"rows"`
	// Checksum is that of the rows in the file, as in page_log, added up modulo 2^63.
	Checksum int64 `json:"checksum"`
	// Commit is a UUID that no other commit has, by which an export recognizes its own after a lost
	// answer.
	Commit string `json:"commit"`
}
