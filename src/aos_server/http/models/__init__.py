"""What requests and answers look like: the models that OpenAPI is generated from."""
