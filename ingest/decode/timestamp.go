package decode

import (
	"datasync/internal/model"
)

// timestampReader parses timestamps in the two formats of the API. Neighbours share their day, so it keeps
// the last one.
type timestampReader struct {
	// The text of the day and of the separator after it: the first eight bytes and the last eight.
	first, last uint64
	midnight    model.Instant
}

const (
	dateTimeLen     = len(`"2006-01-02T15:04:05.000Z"`)
	millisecondsLen = len("1769541612369")
)

// timestamp parses the timestamp at i and returns the offset after it, or stopped for any other string or
// number.
func (r *timestampReader) timestamp(text string, i int) (model.Instant, int) {
	if len(text)-i < dateTimeLen {
		return 0, stopped
	}
	if text[i] != '"' {
		return fastMilliseconds(text, i)
	}
	written := text[i : i+dateTimeLen]
	first, last := word(written, 1), word(written, 4)
	micros, ok := timeOfDay(written[12:])
	if ok && first != 0 && first == r.first && last == r.last {
		return r.midnight + model.Instant(micros), i + dateTimeLen
	}
	end := simpleStringEnd(text, i+1)
	if end == stopped {
		return 0, stopped
	}
	at, read := parseInstant(text[i+1:end], true)
	if read != readable {
		return 0, stopped
	}
	if end++; ok && end == i+dateTimeLen {
		r.first, r.last, r.midnight = first, last, at-model.Instant(micros)
	}
	return at, end
}

// fastMilliseconds parses the first 13 digits of the number at i.
func fastMilliseconds(text string, i int) (model.Instant, int) {
	digits := text[i : i+millisecondsLen]
	first, last := word(digits, 0)^eightZeros, word(digits, 5)^eightZeros
	if digits[0] == '0' || !areDigits(first) || !areDigits(last) {
		return 0, stopped
	}
	const shared = 0xffffff // digits that both words contain
	ms := number(first)*100_000 + number(last&^shared)
	return model.Instant(ms * 1000), i + millisecondsLen
}

// timeOfDay parses a time of the form 15:04:05.000Z and the quote after it, in microseconds.
func timeOfDay(text string) (int64, bool) {
	const (
		format = '0' | '0'<<8 | ':'<<16 | '0'<<24 | '0'<<32 | ':'<<40 | '0'<<48 | '0'<<56
		colons = 0xff<<16 | 0xff<<40
	)
	if len(text) != len(`15:04:05.000Z"`) || text[8] != '.' || text[12:] != `Z"` {
		return 0, false
	}
	x := word(text, 0) ^ format
	a, b, c := text[9]-'0', text[10]-'0', text[11]-'0'
	if !areDigits(x) || x&colons != 0 || a > 9 || b > 9 || c > 9 {
		return 0, false
	}
	x = x*10 + x>>8 // tens and ones
	hour, minute, second := int64(x&0xff), int64(x>>24&0xff), int64(x>>48&0xff)
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	ms := int64(a)*100 + int64(b)*10 + int64(c)
	return (hour*3600+minute*60+second)*microsecondsASecond + ms*1000, true
}

const eightZeros = '0' * eachByte

// areDigits reports whether each byte of x is a value from 0 to 9.
func areDigits(x uint64) bool { return (x|(x+(0x80-10)*eachByte))&highBits == 0 }

// number returns the number of eight digits, the first one lowest in x.
func number(x uint64) int64 {
	const pair = 0xff | 0xff<<32
	x = x*10 + x>>8 // in every other byte two digits
	return int64((x&pair*(100+1_000_000<<32) + x>>16&pair*(1+10_000<<32)) >> 32)
}
