"""The switch that rewrites what the pass cases expect."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-expect", action="store_true", help="rewrite the expected text of the pass cases")
