"""The browser for the tests of combined pages."""

from tests.web.browser import chromium, new_page

__all__ = ["chromium", "new_page"]
