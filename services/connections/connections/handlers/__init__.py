"""Read, decide, save. What is decided stands in `lifecycle`; what is outside, behind the protocols of `ports`."""
