"""The browser for the tests of signing in."""

from tests.web.browser import chromium, new_page

__all__ = ["chromium", "new_page"]
