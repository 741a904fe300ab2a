"""The memory planner: properties on random graphs and buffers, brute force on tiny ones, tampered plans."""
