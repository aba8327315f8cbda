package bucket

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"datasync/internal/model"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The kinds of errors, to be tested with errors.Is.
var (
	// ErrURL: a string is not a valid s3:// URL or endpoint.
	ErrURL = model.NewFailure(model.ExitUsage, "", "unusable address")
	// ErrExists: the key exists, and the write must not replace it.
	ErrExists = model.NewFailure(model.ExitError, topic, "the object exists")
	// ErrMissing: the bucket has no object with that key.
	ErrMissing = model.NewFailure(model.ExitError, topic, "there is no such object")
	// ErrNoBucket: the service has no bucket with that name.
	ErrNoBucket = model.NewFailure(model.ExitError, topic, "there is no such bucket")
	// ErrRefused: the service rejects the credentials, or none are set.
	ErrRefused = model.NewFailure(model.ExitError, topic, "credentials refused")
	// ErrDenied is ErrRefused for valid credentials without the permission.
	ErrDenied = model.SubFailure(ErrRefused, model.ExitError, topic, "access denied")
	// ErrService: the service is unreachable, or it fails.
	ErrService = model.NewFailure(model.ExitError, topic, "the service failed")
	// ErrUnconditional: the service ignores If-None-Match and replaces objects.
	ErrUnconditional = model.NewFailure(model.ExitError, topic, "the service ignores If-None-Match")
)

// topic is the section of docs/operations.md.
const topic = "lake"

// requestError is a request that failed. Its text has no credential.
type requestError struct {
	text string
	// kind is a sentinel, and cause is the error of the request.
	kind, cause error
}

func (e *requestError) Error() string   { return e.text }
func (e *requestError) Unwrap() []error { return []error{e.kind, e.cause} }

// fail returns the error of a request for a key; the key "" means the bucket itself.
func (b *Bucket) fail(doing, key string, err error) error {
	where := fmt.Sprintf("%s s3://%s", doing, b.name)
	if key != "" {
		where += "/" + key
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", where, context.Canceled)
	}
	kind := kindOf(err)
	text := where + ": " + kind.Error()
	if detail := b.redact(detailOf(err)); !errors.Is(err, kind) && !errors.Is(kind, ErrMissing) {
		text += ": " + detail
	}
	if hint := hintOf(err); hint != "" {
		text += "; " + hint
	}
	return &requestError{text, kind, err}
}

func (b *Bucket) redact(s string) string {
	for _, secret := range b.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return s
}

// refusals are the codes by which a service rejects credentials.
var refusals = map[string]bool{
	"AllAccessDisabled": true, "ExpiredToken": true, "InvalidAccessKeyId": true,
	"InvalidToken": true, "SignatureDoesNotMatch": true, "TokenRefreshRequired": true, "UnauthorizedAccess": true,
	"XAdminUserNotFound": true, // versitygw, with status 404
}

// missing are the codes for absent objects. The response to a HEAD has no code, hence "".
var missing = map[string]bool{"": true, "NoSuchKey": true, "NotFound": true, "NoSuchVersion": true, "NoSuchUpload": true}

func kindOf(err error) error {
	status, code := answer(err)
	switch {
	case errors.Is(err, ErrUnconditional):
		return ErrUnconditional
	case code == "NoSuchBucket":
		return ErrNoBucket
	case status == http.StatusPreconditionFailed:
		return ErrExists
	case code == "AccessDenied" || code == "Forbidden":
		return ErrDenied
	case refusals[code] || status == http.StatusUnauthorized || status == http.StatusForbidden:
		return ErrRefused
	case status == http.StatusNotFound && missing[code]:
		return ErrMissing
	}
	return ErrService
}

// answer returns the HTTP status, 0 without a response, and the service's error code.
func answer(err error) (status int, code string) {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	return status, code
}

// detailOf describes the failure on one line, without request ids.
func detailOf(err error) string {
	status, code := answer(err)
	var api smithy.APIError
	if errors.As(err, &api) {
		message := strings.Join(strings.Fields(api.ErrorMessage()), " ")
		if code == "" || code == "UnknownError" {
			code = http.StatusText(status)
		}
		if message != "" && message != code && message != "UnknownError" {
			code += ": " + shorten(message)
		}
		return fmt.Sprintf("status %d, %s", status, code)
	}
	var send *url.Error
	if errors.As(err, &send) { // the text of a *url.Error repeats the URL
		err = send.Err
	}
	return shorten(strings.Join(strings.Fields(err.Error()), " "))
}

func hintOf(err error) string {
	status, code := answer(err)
	var unknownHost *net.DNSError
	switch {
	case code == "PermanentRedirect" || code == "AuthorizationHeaderMalformed" || status == http.StatusMovedPermanently:
		return "set AWS_REGION to the bucket's region"
	case code == "RequestTimeTooSkewed":
		return "set this machine's clock"
	case errors.As(err, &unknownHost) && unknownHost.IsNotFound:
		return "check the endpoint and the network"
	case isUntrusted(err):
		return "AWS_CA_BUNDLE names a file of certificates to trust"
	}
	return ""
}

// isUntrusted reports whether this machine rejects the service's certificate.
func isUntrusted(err error) bool {
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	return errors.As(err, &authority) || errors.As(err, &invalid) || errors.As(err, &host)
}

const longestDetail = 300 // bytes

func shorten(s string) string {
	if len(s) <= longestDetail {
		return s
	}
	return strings.ToValidUTF8(s[:longestDetail], "") + "..."
}
