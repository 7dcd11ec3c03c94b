"""People, the scopes at which they hold roles, and the roles they hold.

A scope is a place where a role counts: the platform, a campus, or a cohort. Scopes form a tree, so
that a campus administrator is one for each cohort of that campus, and apps further up own a scope
(a campus has one, a cohort has one) without this app knowing them.
Being a learner is not a role grant: it is an enrolment, which `courses.catalog` holds.
"""

from typing import ClassVar

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models, transaction
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create and save a user; the e-mail is kept in lower case."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create the person whom `manage.py createsuperuser` asks for: a platform administrator.

        Their e-mail counts as confirmed: whoever has a shell on the server needs no letter to prove it.
        """
        fields |= {"is_superuser": True}
        with transaction.atomic(using=self._db):
            user = self.create_user(email, password, **fields)
            platform = Scope.objects.get(kind=Scope.Kind.PLATFORM)
            RoleGrant.objects.create(user=user, role=RoleGrant.Role.PLATFORM_ADMIN, scope=platform)
            address = apps.get_model("account", "EmailAddress")
            address.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The name is one field, written family name first where that is the custom."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=80)
    member_number = models.CharField(_("member number"), max_length=30, blank=True)
    language = models.CharField(
        _("language"), max_length=2, choices=[("ko", "한국어"), ("en", "English")], default="ko"
    )
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, default=Theme.AUTO)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = (
            models.UniqueConstraint(Lower("email"), name="user_email_is_unique"),
            models.UniqueConstraint(
                fields=("member_number",), condition=~models.Q(member_number=""), name="user_member_number_is_unique"
            ),
        )

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class Scope(models.Model):
    """A node of the tree at which roles are held. `path` holds the ids from the root to itself."""

    class Kind(models.TextChoices):
        PLATFORM = "PLATFORM", _("Platform")
        CAMPUS = "CAMPUS", _("Campus")
        COHORT = "COHORT", _("Cohort")

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=160)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    path = ArrayField(models.BigIntegerField(), default=list, editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(kind__in=["PLATFORM", "CAMPUS", "COHORT"]), name="scope_kind"),
            models.CheckConstraint(
                condition=models.Q(kind="PLATFORM", parent=None) | ~models.Q(kind="PLATFORM") & ~models.Q(parent=None),
                name="scope_only_the_platform_is_a_root",
            ),
            models.UniqueConstraint(fields=("kind",), condition=models.Q(kind="PLATFORM"), name="scope_one_platform"),
        )
        indexes = (GinIndex(fields=("path",), name="scope_path"),)

    def __str__(self) -> str:
        return self.name


class RoleGrant(models.Model):
    """A person holds a staff role at a scope, and at everything below it."""

    class Role(models.TextChoices):
        ASSISTANT = "ASSISTANT", _("Teaching assistant")
        INSTRUCTOR = "INSTRUCTOR", _("Instructor")
        CAMPUS_ADMIN = "CAMPUS_ADMIN", _("Campus administrator")
        PLATFORM_ADMIN = "PLATFORM_ADMIN", _("Platform administrator")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_grants")
    role = models.CharField(_("role"), max_length=20, choices=Role)
    scope = models.ForeignKey(Scope, on_delete=models.CASCADE, related_name="role_grants")
    granted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    granted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "role", "scope"), name="role_grant_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=["ASSISTANT", "INSTRUCTOR", "CAMPUS_ADMIN", "PLATFORM_ADMIN"]),
                name="role_grant_role",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.scope}"
