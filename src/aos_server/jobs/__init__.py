"""What `aos-server worker` does: delivers messages, sequences the audit log, does what is due by the clock."""
