"""Where the authorization server's pages are: its own, and a page to log in."""

from django.contrib.auth.views import LoginView
from django.urls import include, path

urlpatterns = [path("login/", LoginView.as_view()), path("", include("oauth2_provider.urls"))]
