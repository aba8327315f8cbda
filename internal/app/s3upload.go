package app

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"datasync/export"
	"datasync/internal/human"
	"datasync/internal/lakerun"
	"datasync/internal/model"
	"datasync/internal/outfile"

	"github.com/urfave/cli/v2"
)

// s3Target is an export target in a bucket.
type s3Target struct {
	// url is s3://BUCKET/KEY; a folder's URL ends with a slash.
	url      string
	endpoint string
	force    bool
}

// readS3Target parses a target in S3, and returns nil for a local one.
func readS3Target(c *cli.Context, e *export.Options) (*s3Target, error) {
	scheme, _, _ := strings.Cut(e.Target, "://")
	switch scheme {
	case "s3":
	case "s3a", "s3n", "gs", "gcs", "az", "abfs", "abfss", "http", "https":
		if strings.Contains(e.Target, "://") {
			return nil, usage("--%s %s: export writes to files and to S3; write s3://BUCKET/KEY", e.Format, shownUnlessUser(e.Target))
		}
		fallthrough
	default:
		if c.IsSet("endpoint") {
			return nil, usage("--endpoint %s is for --iceberg, or a target s3://BUCKET/KEY; omit it", shownUnlessUser(c.String("endpoint")))
		}
		return nil, nil
	}
	bucket, key, ok := splitS3(e.Target)
	switch {
	case !ok:
		return nil, contradicts(e, "it is no address in S3; write s3://BUCKET/KEY")
	case key == "":
		return nil, contradicts(e, "it is a whole bucket; write %s", human.Shown("s3://"+bucket+"/events."+e.Format.String()))
	case e.Incremental:
		return nil, usage("--incremental cannot add to %s: use --iceberg NAMESPACE.TABLE --catalog s3://%s, which always adds only what is new", human.Shown(e.Target), bucket)
	}
	t := &s3Target{url: "s3://" + bucket + "/" + key, force: c.Bool("force")}
	if strings.HasSuffix(e.Target, "/") || e.IsFolder() {
		t.url += "/"
	}
	var err error
	t.endpoint, err = readEndpoint(c)
	return t, err
}

// withoutUser refuses a target URL with a user name or password, and does not repeat it.
func withoutUser(option, target string) error {
	_, rest, isURL := strings.Cut(target, "://")
	if authority, _, _ := strings.Cut(rest, "/"); isURL && strings.Contains(authority, "@") {
		return withoutSecret(option, authority)
	}
	return nil
}

// shownUnlessUser formats a value for a message, and hides it if it may have a password.
func shownUnlessUser(text string) string {
	if strings.ContainsAny(text, "@?#") {
		return "(not shown)"
	}
	return human.Shown(text)
}

// base is the last part of the target, which is the name of the file or folder in the staging folder.
func (t *s3Target) base() string {
	return t.url[strings.LastIndexByte(strings.TrimSuffix(t.url, "/"), '/')+1:]
}

// plan is the plan for an upload of the files to a folder, or to the key of a file.
func (t *s3Target) plan(files []string) model.LakePlan {
	return model.LakePlan{Do: model.LakeDoUpload, Endpoint: t.endpoint, Upload: &model.LakeUpload{Target: t.url, Files: files, Replace: t.force}}
}

// staged lists an export's files in the staging folder in upload order: the manifest of a folder is last.
func staged(folder string) (files []string, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !outfile.IsHidden(d.Name()) {
			var name string
			if name, err = filepath.Rel(folder, path); err == nil {
				files = append(files, filepath.ToSlash(name))
			}
		}
		return err
	})
	slices.SortStableFunc(files, func(a, b string) int { return strings.Count(b, "/") - strings.Count(a, "/") }) // the manifest is beside the folder
	return files, err
}

// s3Export is a running export to a bucket.
type s3Export struct {
	target  *s3Target
	lake    lakerun.Program
	staging *outfile.Folder
}

// beginS3Export creates the staging folder of the export. The caller removes it with staging.Abort.
func beginS3Export(ctx context.Context, opts *exportOptions, run *export.Options) (x *s3Export, err error) {
	x = &s3Export{target: opts.s3}
	if x.lake, err = findLake(ctx, opts.io); err != nil {
		return nil, err
	}
	// This refuses an existing target before the export, which may take long.
	if err := x.upload(ctx, opts, nil); err != nil {
		return nil, err
	}
	if x.staging, err = stagingFor(opts.database); err != nil {
		return nil, err
	}
	run.Target, run.Force, run.Keep = filepath.Join(stagingPath(x.staging), x.target.base()), false, nil
	return x, nil
}

// send uploads the files in the staging folder.
func (x *s3Export) send(ctx context.Context, opts *exportOptions) error {
	files, err := staged(stagingPath(x.staging))
	if err != nil {
		return err
	}
	return x.upload(ctx, opts, files)
}

// upload uploads the files; without files, it only checks the target.
func (x *s3Export) upload(ctx context.Context, opts *exportOptions, files []string) error {
	plan := x.target.plan(files)
	if x.staging != nil {
		plan.Staging = stagingPath(x.staging)
	}
	_, err := runLake(ctx, opts.io, opts.quiet || len(files) == 0, x.lake, plan)
	return err
}

// end removes the staging folder.
func (x *s3Export) end() {
	if x != nil && x.staging != nil {
		_ = x.staging.Abort()
	}
}

// isDirectory reports whether a local path is an existing folder.
func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
