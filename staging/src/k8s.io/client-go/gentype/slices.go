package gentype

// ToPointerSlice returns pointers to the elements of src, which they share:
// writing through one changes src, and keeping one keeps all of src. A nil
// slice gives a nil slice.
func ToPointerSlice[T any](src []T) []*T {
	if src == nil {
		return nil
	}
	pointers := make([]*T, 0, len(src))
	for i := range src {
		pointers = append(pointers, &src[i])
	}
	return pointers
}

// FromPointerSlice returns copies of what src points to, of which none may be
// nil. A nil slice gives a nil slice.
func FromPointerSlice[T any](src []*T) []T {
	if src == nil {
		return nil
	}
	values := make([]T, 0, len(src))
	for _, p := range src {
		values = append(values, *p)
	}
	return values
}
