"""A customer portal with a login of many kinds, and the manifest that logs in to it."""
