"""The three forms of a document, each read into a tree of plain values in which flaws stand where they are."""
