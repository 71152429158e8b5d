"""The wall between a run and a database: what stores, builds, publishes and reads the marts."""
