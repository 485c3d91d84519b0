"""What the two web faces share: page frame, field renderer, CSRF and CSP, languages."""
