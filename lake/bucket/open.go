package bucket

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"datasync/internal/model"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// Options says which bucket Open opens.
type Options struct {
	// Bucket is its name.
	Bucket string
	// Endpoint is the URL of an S3 service other than AWS, or "". Its requests use path-style addresses.
	Endpoint string
	// Credentials and Region come from a catalog, for one table. If they are empty, Open reads the
	// environment and the AWS files.
	Credentials Credentials
	Region      string
}

// Credentials are an access key of an S3 service.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Bucket is a bucket of an S3 service. It is safe for concurrent use.
type Bucket struct {
	name    string
	client  *s3.Client
	secrets []string // no error may contain them
	// reached is true after the service's first response.
	reached  atomic.Bool
	patience patience
}

const (
	// findCredentials bounds the search for credentials, which ends at a metadata server that only AWS
	// machines have.
	findCredentials = 20 * time.Second
	// answerTimeout is the longest time from the end of a request to the first byte of its response.
	answerTimeout = time.Minute
	// defaultRegion is for services without regions, and for AWS if nothing sets a region.
	defaultRegion = "us-east-1"
)

// Open finds credentials and the region in the environment or in the AWS files, as the AWS CLI does. It
// sends no request to the bucket. It fails with ErrRefused without credentials, and with ErrURL for an
// invalid endpoint.
func Open(ctx context.Context, opts Options) (*Bucket, error) {
	if err := checkEndpoint(opts.Endpoint); err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }), // try retries, because it handles lost responses
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = answerTimeout
		})),
		config.WithLogger(logging.Nop{}), // stderr is for people
	)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %s", model.Line(err))
	}
	if given := opts.Credentials; given != (Credentials{}) {
		cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: given.AccessKeyID, SecretAccessKey: given.SecretAccessKey, SessionToken: given.SessionToken}, nil
		})
	}
	credentials, err := retrieve(ctx, cfg.Credentials)
	if err != nil {
		return nil, err
	}
	cfg.Region = cmp.Or(opts.Region, cfg.Region, defaultRegion)
	b := &Bucket{name: opts.Bucket, secrets: secretsOf(credentials), patience: defaultPatience}
	b.client = s3.NewFromConfig(cfg, func(o *s3.Options) {
		if opts.Endpoint != "" {
			o.BaseEndpoint = aws.String(strings.TrimSuffix(opts.Endpoint, "/"))
		}
		if o.BaseEndpoint != nil { // set by Endpoint or AWS_ENDPOINT_URL_S3
			o.UsePathStyle = true
			// Older services reject the checksums that AWS introduced in 2025. The signature covers the
			// content anyway.
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		}
	})
	return b, nil
}

// Name returns the bucket's name.
func (b *Bucket) Name() string { return b.name }

func retrieve(ctx context.Context, provider aws.CredentialsProvider) (aws.Credentials, error) {
	const advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
	if provider == nil {
		return aws.Credentials{}, fmt.Errorf("%w: there are none; %s", ErrRefused, advice)
	}
	limited, cancel := context.WithTimeout(ctx, findCredentials)
	defer cancel()
	credentials, err := provider.Retrieve(limited)
	switch {
	case err == nil && credentials.HasKeys():
		return credentials, nil
	case ctx.Err() != nil:
		return aws.Credentials{}, ctx.Err()
	}
	return aws.Credentials{}, fmt.Errorf("%w: none in the environment or in the AWS files; %s", ErrRefused, advice)
}

func secretsOf(c aws.Credentials) []string {
	var secrets []string
	for _, s := range []string{c.SecretAccessKey, c.SessionToken, c.AccessKeyID} {
		if s != "" {
			secrets = append(secrets, s, url.QueryEscape(s))
		}
	}
	return secrets
}

// checkEndpoint fails with ErrURL unless the endpoint is "" or an HTTP URL.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: the endpoint is no http:// or https:// URL", ErrURL)
	case u.User != nil:
		return fmt.Errorf("%w: the endpoint has credentials in it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead", ErrURL)
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%w: the endpoint %q has more than a host and a path", ErrURL, endpoint)
	}
	return nil
}
