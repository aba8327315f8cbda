package bucket

// GiveUpAtOnce makes a request fail with its first failure.
func (b *Bucket) GiveUpAtOnce() { b.patience = patience{} }
