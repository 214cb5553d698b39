// A peer on Go's own crypto/tls; it needs nothing but the standard library.
module sallyport.dev/test/interop/go

go 1.25
