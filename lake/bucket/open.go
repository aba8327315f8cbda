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

// Options says which bucket is opened.
type Options struct {
	// Bucket is its name.
	Bucket string
	// Endpoint is the URL of an S3 service other than AWS, or "". Such a service is addressed by paths.
	Endpoint string
	// Credentials and Region are those that a catalog gives for a table. If they are empty, the
	// environment or the AWS files say them.
	Credentials Credentials
	Region      string
}

// Credentials are the key of an S3 service.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Bucket is a bucket of an S3 service. It is safe for concurrent use.
type Bucket struct {
	name    string
	client  *s3.Client
	secrets []string // which no error may contain
	// reached is set once the service has answered anything.
	reached  atomic.Bool
	patience patience
}

const (
	// findCredentials bounds the search for credentials: the last place is a server that only exists
	// on machines of AWS.
	findCredentials = 20 * time.Second
	// answerTimeout is how long a service may take to begin its answer after it has all of a request.
	answerTimeout = time.Minute
	// defaultRegion is for services that have no regions, and for AWS where nothing names one.
	defaultRegion = "us-east-1"
)

// Open finds credentials and the region in the environment or in the AWS files, as the AWS CLI does. It
// sends no request to the bucket. It fails with ErrRefused without credentials, and with ErrURL for an
// endpoint that is none.
func Open(ctx context.Context, opts Options) (*Bucket, error) {
	if err := checkEndpoint(opts.Endpoint); err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }), // try retries, and knows about lost answers
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
		if o.BaseEndpoint != nil { // also that of AWS_ENDPOINT_URL_S3
			o.UsePathStyle = true
			// Older services refuse the checksums that AWS has since 2025. The signature covers the
			// content all the same.
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

// checkEndpoint fails with ErrURL unless the endpoint is "" or the URL of a service.
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
