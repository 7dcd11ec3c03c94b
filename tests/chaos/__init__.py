"""A whole running campus, and what of it survives being killed."""

import pytest

pytest.register_assert_rewrite("tests.chaos.proof")  # a failed proof then says its values
