// Package queue holds what waits.
//
// It is safe for use by many.
package queue

import (
	"fmt"
	sync "sync/atomic"
)

// ErrEmpty says that nothing waits.
var ErrEmpty = fmt.Errorf("nothing waits")

const (
	low  = iota // the least
	high
)

// Queue holds items in order.
type Queue[T any] struct {
	// Items are what waits.
	Items []T
	count sync.Int64
}

type (
	ID     string
	Reader interface {
		Read(id ID) (string, error)
		fmt.Stringer
	}
)

// Push adds an item
// at the end of the queue.
func (q *Queue[T]) Push(item T) {
	q.Items = append(q.Items, item)
	q.count.Add(1)
}

func New[T any](
	size int,
) *Queue[T] {
	items := make([]T, 0, size)
	return &Queue[T]{Items: items}
}
