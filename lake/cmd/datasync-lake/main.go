// Command datasync-lake carries out what datasync export and datasync status ask of Iceberg tables and S3
// buckets. It is a program of its own, as the libraries for that double the size of datasync.
package main

import (
	_ "datasync/internal/inspect"
	_ "datasync/internal/model"

	_ "github.com/apache/iceberg-go/catalog/rest"
	_ "github.com/apache/iceberg-go/table"
	_ "github.com/aws/aws-sdk-go-v2/config"
	_ "github.com/aws/aws-sdk-go-v2/service/s3"
)

func main() {}
