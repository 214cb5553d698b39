// The vectors come as a Go module: `go mod download` here brings them into Go's module cache, checked by go.sum.
module sallyport.dev/test/conformance/wycheproof

go 1.19

require github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
