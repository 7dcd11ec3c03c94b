"""REST: sign in for a token, sign out, and who am I."""

from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, inline_serializer
from knox.models import get_token_model
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput, NotAllowed, TooManyAttempts

from .models import RoleGrant, User


class TokenRequest(serializers.Serializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)
    code = serializers.CharField(max_length=12, required=False, help_text="One-time code, where the account has one.")


class TokenAnswer(serializers.Serializer):
    token = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class TokenView(APIView):
    """`POST`: an e-mail and a password for a token, sent from then on as `Authorization: Token …`."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(request=TokenRequest, responses={200: TokenAnswer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        given = TokenRequest(data=request.data)
        given.is_valid(raise_exception=True)
        user = _authenticate(request, given.validated_data)
        instance, token = get_token_model().objects.create(user=user)
        return Response({"token": token, "expires_at": instance.expiry})


def _authenticate(request: Request, given: dict[str, Any]) -> Any:
    """Return the user; allauth counts failures by address and by account.

    Raises InvalidInput, TooManyAttempts, and NotAllowed for an account that only a passkey opens.
    """
    email = given["email"].strip().lower()
    try:
        user = get_adapter().authenticate(request._request, email=email, password=given["password"])
        if user is None or not user.is_active:
            raise InvalidInput({"password": _("The e-mail or the password is wrong.")}, code="bad_credentials")
        if get_mfa_adapter().is_mfa_enabled(user):
            _check_code(user, given.get("code", ""))
    except DjangoValidationError as error:
        raise TooManyAttempts(" ".join(error.messages)) from error
    return user


def _check_code(user: Any, code: str) -> None:
    """Raise unless `code` is the authenticator app's current code or an unused recovery code of `user`."""
    typed = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN)
    if not typed.filter(type=Authenticator.Type.TOTP).exists():
        raise NotAllowed(_("This account signs in with a passkey. Make a token on your profile page instead."))
    if code:
        forget_failures = check_rate_limit(user)
        if any(authenticator.wrap().validate_code(code) for authenticator in typed):
            forget_failures()
            return
    raise InvalidInput({"code": _("Send the one-time code of your authenticator app.")}, code="code_required")


class CurrentTokenView(APIView):
    """`DELETE` signs this token out."""

    @extend_schema(request=None, responses={204: None}, tags=["auth"])
    def delete(self, request: Request) -> Response:
        if request.auth is not None:
            request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(APIView):
    """`GET`: the person behind the token, and the staff roles they hold."""

    @extend_schema(
        tags=["auth"],
        responses=inline_serializer(
            "Me",
            {
                "id": serializers.IntegerField(),
                "email": serializers.EmailField(),
                "name": serializers.CharField(),
                "language": serializers.CharField(),
                "roles": inline_serializer(
                    "MyRole",
                    {
                        "role": serializers.CharField(),
                        "scope": serializers.CharField(),
                        "scope_kind": serializers.CharField(),
                    },
                    many=True,
                ),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        user = cast(User, request.user)
        grants = RoleGrant.objects.filter(user_id=user.pk).select_related("scope").order_by("scope_id")
        roles = [{"role": grant.role, "scope": grant.scope.name, "scope_kind": grant.scope.kind} for grant in grants]
        return Response(
            {"id": user.pk, "email": user.email, "name": user.name, "language": user.language, "roles": roles}
        )
