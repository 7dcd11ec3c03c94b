"""The browser for the tests of signing in."""

from tests.web.browser import new_page

__all__ = ["new_page"]
