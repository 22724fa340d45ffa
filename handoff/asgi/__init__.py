"""ASGI middleware that both apps put around themselves: headers, a limit on bodies, and no fault that says more than it may.

Plain ASGI: Starlette's `BaseHTTPMiddleware` breaks streams and doubles their memory.
"""
