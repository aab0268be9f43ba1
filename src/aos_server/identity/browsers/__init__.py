"""People with a browser: how one gets an access token, and what its session is. Whom a token is from, and what they may
do, is said by `Identity`, here as everywhere.

login       the authorization code flow, with PKCE
sessions    what a cookie is, and what is kept of its session
"""
