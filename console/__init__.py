"""The customers' page: speaks events, reads over HTTP, keeps no secret."""
