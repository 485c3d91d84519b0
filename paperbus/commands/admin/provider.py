"""`paperbus admin provider`: letting a changed provider, or any, go on or wait."""

from __future__ import annotations

import click

from paperbus.admin.shown import as_json

COLUMNS = ("provider_id", "approved", "paused")


@click.group()
def provider() -> None:
    """Approve of a provider's new hosts; pause and resume a provider for everybody."""


@provider.command("approve")
@click.argument("provider_id", metavar="ID")
@as_json
def approve(provider_id: str, *, as_json: bool) -> None:
    """Let stored secrets go where the newest manifest of ID sends them.

    Until then connections that were made under older hosts lend nothing (`provider_changed`).
    """
    _show("provider-approve", provider_id, as_json=as_json)


@provider.command("pause")
@click.argument("provider_id", metavar="ID")
@as_json
def pause(provider_id: str, *, as_json: bool) -> None:
    """Lend nothing for ID, renew nothing, and begin no login, until it is resumed."""
    _show("provider-pause", provider_id, as_json=as_json)


@provider.command("resume")
@click.argument("provider_id", metavar="ID")
@as_json
def resume(provider_id: str, *, as_json: bool) -> None:
    """Go on with ID."""
    _show("provider-resume", provider_id, as_json=as_json)


def _show(call: str, provider_id: str, *, as_json: bool) -> None:
    from paperbus.admin.operating import operate
    from paperbus.admin.shown import show

    show(list(operate(call, provider_id)), COLUMNS, as_json=as_json)
