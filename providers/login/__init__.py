"""How an account is logged in to, step by step, from a manifest. Nothing is remembered between steps."""
