"""The only room that touches the crypto library and the key files."""
