"""Results as text. Values in, text out; nothing here reads, prints or knows where a value came from."""
