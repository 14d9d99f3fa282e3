"""Our own small OpenID Connect provider, for the demonstration and for tests. It is not for production.

Who is who: a *persona* is somebody to be, one click each, no password; a *client* is an application that
signs people in (ours is `concord-web`); a *code* is what the browser carries back to the client; the *keys*
sign what the token endpoint answers.

What happens, in order:
1. The client sends the browser to /authorize with state, nonce and a PKCE challenge (S256); all three are
   demanded, and the redirect URI must be a registered one, character by character.
2. The page of personas is shown. A click posts the same request again with the persona, so nothing is kept
   between the page and the click, and no cookie is set. An application that has a page of personas of its own
   (the list is at /demo/personas) names the one that was clicked in `login_hint`; then this page is left out.
3. The browser is sent back with a code, good for 60 seconds and for one attempt, right or wrong.
4. The client redeems it at /token with its secret, where it has one, and always with the PKCE verifier.

Beside that, /token knows the grant `urn:concord:demo-persona`: a persona's access token in one request, so
that curl and tests can act. It is the reason why the provider refuses to start outside demo mode.

What real providers do and verifiers trip over is here on purpose: a second key in the key document that is
for encryption, and rotation with a grace period in which the old key stays published.

Not needed for correctness: the file with the keys. Without it a restart makes new ones, and tokens issued
before it end.
"""
