"""What goes over the wire, whoever speaks: server-sent events and JSON, read in one way only."""
