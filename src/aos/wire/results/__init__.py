"""What was found out, as JSON documents, and back."""
