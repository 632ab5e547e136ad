"""The guard inside other people's frameworks; one file each, loaded only where it is imported."""
