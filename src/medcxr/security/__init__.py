"""Passwords, second factors, keys of sessions and patients, and seals."""
