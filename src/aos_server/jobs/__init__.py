"""What `aos-server worker` does: delivers messages, sequences the audit log, forgets what is old."""
