"""A simulation for people: in a terminal, as Markdown, as a page; and what was compared with it."""
