"""Tests of the C backend: emit, compile on the host, compare with the reference."""
