"""A customer's account: onboarding, login window, vault, renewal."""
