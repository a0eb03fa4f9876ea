"""MiniStack as it is seen from behind a balancer that ends TLS, for as long as the test that started it lives.

The stage's queues and topics refuse what does not come over TLS, and the engine judges that by this header. Without
it every request would be refused; with it the policies are judged as they stand.
"""

import os
import signal
import threading
import time

from ministack.app import app as engine


def end_with(owner):
    """Ends the whole process group, functions included, once the owner is gone: a test that is killed cleans up nothing."""
    while True:
        time.sleep(1)
        try:
            os.kill(owner, 0)
        except ProcessLookupError:
            os.killpg(os.getpgrp(), signal.SIGKILL)


threading.Thread(target=end_with, args=(int(os.environ["FRONT_OWNER"]),), daemon=True).start()


async def app(scope, receive, send):
    if scope["type"] == "http":
        scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
    await engine(scope, receive, send)
