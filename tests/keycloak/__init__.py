"""Signing in at a real Keycloak: apart from the other tests, since it is fetched (180 MB) and takes a minute
to start. `make test-keycloak` runs it.
"""
