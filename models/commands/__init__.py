"""The commands of ``python -m models``, one a file: each reads its arguments, calls one function, prints."""
