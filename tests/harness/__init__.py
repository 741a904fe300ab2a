"""The harness: build, run, measure and compare, on hand-made build directories."""
