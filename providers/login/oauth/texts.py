"""What customers are told when a login at a provider's own page does not work out. Texts only."""

from __future__ import annotations

from schemas.fields import Words

CODE_OVER = Words(
    en="The provider no longer accepts this answer. Go there once more.",
    fr="Le fournisseur n'accepte plus cette réponse. Retournez-y encore une fois.",
    de="Der Anbieter nimmt diese Antwort nicht mehr an. Gehen Sie noch einmal dorthin.",
)
CONSENT_OVER = Words(
    en="The provider no longer lets us in. Log in there once more.",
    fr="Le fournisseur ne nous laisse plus entrer. Connectez-vous de nouveau chez lui.",
    de="Der Anbieter lässt uns nicht mehr ein. Melden Sie sich dort noch einmal an.",
)
SAID_NO = Words(
    en="The provider was told no. Nothing was connected; you can go there again.",
    fr="La réponse donnée au fournisseur était non. Rien n'a été connecté ; vous pouvez y retourner.",
    de="Beim Anbieter wurde Nein gesagt. Nichts wurde verbunden; Sie können noch einmal hingehen.",
)
ANOTHER_SERVER = Words(
    en="Something else than the provider answered, so its answer was not used. Go there once more.",
    fr="Ce n'est pas le fournisseur qui a répondu ; sa réponse n'a pas été utilisée. Retournez-y.",
    de="Nicht der Anbieter hat geantwortet; die Antwort wurde nicht benutzt. Gehen Sie noch einmal hin.",
)
ODD = Words(
    en="The provider's answer was not understood. Try again later.",
    fr="La réponse du fournisseur n'a pas été comprise. Réessayez plus tard.",
    de="Die Antwort des Anbieters war nicht zu verstehen. Versuchen Sie es später noch einmal.",
)
CHANGED = Words(
    en="The provider no longer takes what we ask for. Tell whoever runs this service.",
    fr="Le fournisseur n'accepte plus ce que nous demandons. Prévenez qui exploite ce service.",
    de="Der Anbieter nimmt unsere Anfrage nicht mehr an. Sagen Sie es den Betreibern dieses Dienstes.",
)
CLIENT_REFUSED = Words(
    en="The provider does not accept this service as it is registered there. Tell whoever runs it.",
    fr="Le fournisseur refuse ce service tel qu'il y est enregistré. Prévenez qui l'exploite.",
    de="Der Anbieter nimmt diesen Dienst, wie er dort eingetragen ist, nicht an. Sagen Sie es dem Betreiber.",
)
NOBODY = Words(
    en="The provider does not say whose account it is. Go there once more.",
    fr="Le fournisseur ne dit pas à qui appartient le compte. Retournez-y encore une fois.",
    de="Der Anbieter sagt nicht, wessen Konto es ist. Gehen Sie noch einmal dorthin.",
)
TOO_SLOW = Words(
    en="The provider took too long. Try again later.",
    fr="Le fournisseur a mis trop de temps. Réessayez plus tard.",
    de="Der Anbieter hat zu lange gebraucht. Versuchen Sie es später noch einmal.",
)
LOGIN_REFUSED = Words(
    en="The provider did not accept the login. Check what you entered.",
    fr="Le fournisseur a refusé la connexion. Vérifiez votre saisie.",
    de="Der Anbieter hat die Anmeldung nicht angenommen. Prüfen Sie Ihre Eingabe.",
)
_NOT_SET_UP = (
    "{name} was not set up by the operator of this service.",
    "{name} n'a pas été configuré par l'exploitant de ce service.",
    "{name} wurde von den Betreibern dieses Dienstes nicht eingerichtet.",
)
_SCOPES = (
    "Not everything was allowed that is needed. Go there once more and agree to: {scopes}.",
    "Tout ce qui est nécessaire n'a pas été autorisé. Retournez-y et acceptez : {scopes}.",
    "Nicht alles Nötige wurde erlaubt. Gehen Sie noch einmal hin und stimmen Sie zu: {scopes}.",
)


def not_set_up(name: str) -> Words:
    return _said(_NOT_SET_UP, name=name)


def scopes_missing(scopes: tuple[str, ...]) -> Words:
    """Names what was not granted."""
    return _said(_SCOPES, scopes=", ".join(scopes))


def _said(texts: tuple[str, str, str], **values: str) -> Words:
    en, fr, de = (text.format(**values) for text in texts)
    return Words(en=en, fr=fr, de=de)
