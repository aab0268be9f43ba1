"""Who sends a request and what they may do. Everything here fails closed.

caller          who a request comes from, for one tenant; what each kind of act needs
roles           roles to levels
issuers         which OpenID providers are trusted, for whom
claims          what a token must say; the checks that a signature does not make
provider        a provider's metadata and keys, cached
tokens          a JWT, verified
introspection   an opaque token, asked about (RFC 7662)
auth_service    the roles that somebody has right now
service_keys    keys of machines, kept as hashes
browsers        how a person gets a token with a browser, and what keeps it for them
strangers       how much may be asked about what nobody knows
remote          the one door to other services
authenticate    all of it together: headers in, `Caller` out
"""
