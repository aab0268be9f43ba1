"""The auth service of development: a real one, over HTTP, with sample people. It says who they are to whoever asks it
for a token in its own process, so it has no place anywhere else.

    users      the sample people and their roles
    provider   the OpenID provider: keys, metadata, tokens
    app        the routes: roles, metadata, keys
"""
