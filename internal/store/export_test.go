package store

// Around hands every operation of the store's writer to around from now on.
func (s *Store) Around(around func(do func() error) error) { s.writer.around = around }
