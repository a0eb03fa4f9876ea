"""MiniStack as it is seen from behind a balancer that ends TLS.

The stage's queues and topics refuse what does not come over TLS, and the engine judges that by this header. Without
it every request would be refused; with it the policies are judged as they stand.
"""

from ministack.app import app as engine


async def app(scope, receive, send):
    if scope["type"] == "http":
        scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
    await engine(scope, receive, send)
