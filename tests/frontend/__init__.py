"""Tests of the frontend: what a file means, and what is refused and how."""
