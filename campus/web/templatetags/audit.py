"""Filters of the audit trail's templates."""

from django import template

from campus.web import audit_words

register = template.Library()
register.filter("audit_verb", audit_words.verb)
register.filter("audit_changes", audit_words.changes)
