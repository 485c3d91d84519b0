"""OAuth 2.0 towards providers: requests, answers, identities. No step, no store and no page is here.

`server` finds the endpoints, `client` proves who asks, `leaving` makes and checks the way by the browser,
`tokens` asks for tokens, `device` the way by another device, `identity` learns whose account it is.
"""
