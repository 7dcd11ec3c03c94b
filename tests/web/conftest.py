"""The browser for the tests of combined pages."""

from tests.web.browser import new_page

__all__ = ["new_page"]
