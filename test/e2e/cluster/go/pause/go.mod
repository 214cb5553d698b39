module sallyport/test/pause

go 1.26.0
