"""What readers are told of the marts: headlines, findings, status, checks."""
