"""Files: where documents are read from. What stands in them is `aos.wire`'s to say."""
