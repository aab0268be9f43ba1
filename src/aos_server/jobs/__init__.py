"""What `aos-server worker` does: delivers the outbox, sequences the audit log, forgets what is old."""
