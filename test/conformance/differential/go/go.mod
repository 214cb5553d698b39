module sallyport.dev/test/differential

go 1.24
