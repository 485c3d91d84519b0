"""Where the authorization server's pages are: its own, and a page to log in."""

from typing import Any

from django.contrib.auth.views import LoginView
from django.urls import include, path
from oauth2_provider.views import DeviceAuthorizationView


class Devices(DeviceAuthorizationView):
    """Its own, which fails over a member that its oauthlib says of late: `scope`, which RFC 8628 has not."""

    def create_device_authorization_response(self, request: Any) -> Any:
        headers, said, status = super().create_device_authorization_response(request)
        if isinstance(said, dict):
            said.pop("scope", None)
        return headers, said, status


urlpatterns = [
    path("login/", LoginView.as_view()),
    path("device-authorization/", Devices.as_view()),
    path("", include("oauth2_provider.urls")),
]
