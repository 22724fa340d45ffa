"""Where the network begins: which connections may stay, for how long, and what is said to those that may not.

Below the ASGI apps: what arrives here is bytes of anybody, and there may be more of it than this process has places.
"""
