"""W3C trace context through events and calls. Without the SDK installed it costs next to nothing."""
