"""What connections says to customers, in their language. Texts of providers are in their manifests."""

from __future__ import annotations

from schemas.fields import Words
from schemas.reasons import Reason


def said(key: str, locale: str, **values: object) -> str:
    """The text called `key` in `locale`, with `{name}`s filled in.

    Raises:
        KeyError: there is no such text.
    """
    return TEXTS[key].said(locale).format(**values)


def title_of(reason: Reason, locale: str) -> str:
    """A trouble in a few words."""
    return TITLES.get(reason, _OTHER).said(locale)


ACTIONS = {
    Reason.CREDENTIALS_WRONG: "reauthenticate",
    Reason.PASSWORD_EXPIRED: "reauthenticate",
    Reason.CHALLENGE_NEEDED: "reauthenticate",
    Reason.CONSENT_EXPIRED: "reauthenticate",
    Reason.IDENTITY_CHANGED: "reauthenticate",
    Reason.ADDRESS_REFUSED: "reauthenticate",
    Reason.CERTIFICATE_INVALID: "reauthenticate",
    Reason.LOCKED: "reauthenticate",
    Reason.ACTION_ON_SITE: "visit_provider",
    Reason.PERMISSION_MISSING: "visit_provider",
    Reason.QUOTA_FULL: "visit_provider",
    Reason.DESTINATION_MISSING: "change_options",
    Reason.PROVIDER_CHANGED: "contact_support",
    Reason.PROVIDER_RETIRED: "contact_support",
    Reason.NOT_SET_UP: "contact_support",
    Reason.BUG: "contact_support",
}
"""What mends a trouble; these need a person. So does whatever is not tried again: support looks at it."""

TEXTS = {
    "expiring_title": Words(
        en="The login ends soon",
        fr="La connexion prend bientôt fin",
        de="Die Anmeldung endet bald",
    ),
    "expiring": Words(
        en="The provider lets us in until {day}. Log in again before, so that nothing is missed.",
        fr="Le fournisseur nous laisse entrer jusqu'au {day}. Reconnectez-vous avant, pour ne rien manquer.",
        de="Der Anbieter lässt uns bis {day} ein. Melden Sie sich vorher neu an, damit nichts fehlt.",
    ),
    "cancelled": Words(
        en="The login was cancelled. Start it again whenever you like.",
        fr="La connexion a été annulée. Recommencez-la quand vous voulez.",
        de="Die Anmeldung wurde abgebrochen. Beginnen Sie sie neu, wann Sie mögen.",
    ),
    "superseded": Words(
        en="A newer login took this one's place. Go on there.",
        fr="Une connexion plus récente a pris sa place. Poursuivez là-bas.",
        de="Eine neuere Anmeldung trat an ihre Stelle. Machen Sie dort weiter.",
    ),
    "goes_on_title": Words(
        en="The login goes on",
        fr="La connexion se poursuit",
        de="Die Anmeldung geht weiter",
    ),
    "goes_on": Words(
        en="The provider asks for more. Go on in the login's window.",
        fr="Le fournisseur demande autre chose. Poursuivez dans la fenêtre de connexion.",
        de="Der Anbieter fragt weiter. Machen Sie im Fenster der Anmeldung weiter.",
    ),
    "removed": Words(
        en="The connection was removed. Start again with a new one.",
        fr="La connexion a été supprimée. Recommencez avec une nouvelle.",
        de="Die Verbindung wurde entfernt. Beginnen Sie mit einer neuen.",
    ),
    "abandoned": Words(
        en="The connection was not completed within 7 days. Start again with a new one.",
        fr="La connexion n'a pas été terminée en 7 jours. Recommencez avec une nouvelle.",
        de="Die Verbindung wurde nicht innerhalb von 7 Tagen fertiggestellt. Beginnen Sie mit einer neuen.",
    ),
    "provider_retired": Words(
        en="This provider is no longer offered. Choose another one.",
        fr="Ce fournisseur n'est plus proposé. Choisissez-en un autre.",
        de="Dieser Anbieter wird nicht mehr angeboten. Wählen Sie einen anderen.",
    ),
    "session_expired": Words(
        en="Nobody answered in time. Start the login again.",
        fr="Personne n'a répondu à temps. Recommencez la connexion.",
        de="Es wurde nicht rechtzeitig geantwortet. Beginnen Sie die Anmeldung erneut.",
    ),
    "interrupted": Words(
        en="We were interrupted before the provider's answer was known. Please answer again.",
        fr="Nous avons été interrompus avant la réponse du fournisseur. Veuillez répondre à nouveau.",
        de="Wir wurden vor der Antwort des Anbieters unterbrochen. Bitte antworten Sie erneut.",
    ),
    "blocked": Words(
        en="Too many logins to this account have failed. Wait a while, or the provider may lock it.",
        fr="Trop de connexions à ce compte ont échoué. Patientez, afin que le fournisseur ne le bloque pas.",
        de="Zu viele Anmeldungen an diesem Konto schlugen fehl. Warten Sie, damit es nicht gesperrt wird.",
    ),
    "provider_slow": Words(
        en="The provider took too long to answer. Please try again.",
        fr="Le fournisseur a mis trop de temps à répondre. Veuillez réessayer.",
        de="Der Anbieter hat zu lange nicht geantwortet. Bitte versuchen Sie es erneut.",
    ),
    "identity_changed": Words(
        en="This is the account {new}, but the connection belongs to {old}. Log in as {old}.",
        fr="C'est le compte {new}, mais la connexion appartient à {old}. Connectez-vous avec {old}.",
        de="Dies ist das Konto {new}, die Verbindung gehört aber zu {old}. Melden Sie sich als {old} an.",
    ),
    "recovered": Words(
        en="It works again.",
        fr="Tout fonctionne à nouveau.",
        de="Es funktioniert wieder.",
    ),
    "fields_invalid": Words(
        en="Please check the fields that are named.",
        fr="Vérifiez les champs qui sont nommés.",
        de="Bitte prüfen Sie die genannten Felder.",
    ),
    "field_unknown": Words(
        en="There is no such field here. Leave it out.",
        fr="Ce champ n'existe pas ici. Omettez-le.",
        de="Dieses Feld gibt es hier nicht. Lassen Sie es weg.",
    ),
    "field_missing": Words(en="Please fill this in.", fr="Veuillez remplir ce champ.", de="Bitte ausfüllen."),
    "field_text": Words(en="Please enter text.", fr="Veuillez saisir du texte.", de="Bitte Text eingeben."),
    "field_long": Words(
        en="Please enter at most {most} characters.",
        fr="Saisissez au plus {most} caractères.",
        de="Bitte höchstens {most} Zeichen.",
    ),
    "field_pattern": Words(
        en="This does not have the right form. Please check it.",
        fr="La forme n'est pas la bonne. Vérifiez-la.",
        de="Die Form stimmt nicht. Bitte prüfen.",
    ),
    "field_number": Words(
        en="Please enter a number.", fr="Veuillez saisir un nombre.", de="Bitte eine Zahl eingeben."
    ),
    "field_range": Words(
        en="From {least} to {most}, please.",
        fr="De {least} à {most}, s'il vous plaît.",
        de="Bitte {least} bis {most}.",
    ),
    "field_boolean": Words(
        en="Please say yes or no.", fr="Répondez oui ou non.", de="Bitte ja oder nein angeben."
    ),
    "field_date": Words(
        en="Please enter a day such as 2026-01-31.",
        fr="Saisissez un jour tel que 2026-01-31.",
        de="Bitte einen Tag wie 2026-01-31 eingeben.",
    ),
    "field_url": Words(
        en="Please enter a whole address, such as https://cloud.example.org/dav.",
        fr="Saisissez une adresse complète, telle que https://cloud.example.org/dav.",
        de="Bitte eine ganze Adresse eingeben, etwa https://cloud.example.org/dav.",
    ),
    "field_url_plain": Words(
        en="Leave the user name, the password and what follows # out of the address.",
        fr="N'indiquez dans l'adresse ni nom, ni mot de passe, ni ce qui suit #.",
        de="Lassen Sie Benutzername, Passwort und alles ab # in der Adresse weg.",
    ),
    "field_choice": Words(
        en="Please choose one of those offered.",
        fr="Choisissez parmi les valeurs.",
        de="Bitte aus der Liste wählen.",
    ),
    "field_folder": Words(
        en="Please write the folder from the root down, without `.` or `..` in it.",
        fr="Écrivez le dossier depuis la racine, sans « . » ni « .. ».",
        de="Schreiben Sie den Ordner von der Wurzel an, ohne „.“ und „..“.",
    ),
    "field_placeholder": Words(
        en="There is no such placeholder. Choose one of {known}.",
        fr="Ce champ n'existe pas. Choisissez parmi {known}.",
        de="Diesen Platzhalter gibt es nicht. Wählen Sie einen von {known}.",
    ),
    "field_brace": Words(
        en="A {{ is not closed by a }}; write {{{{ for a plain brace.",
        fr="Une {{ n'est pas fermée par une }} ; pour une simple accolade, écrivez {{{{.",
        de="Eine {{ wird nicht mit }} geschlossen; für eine einfache Klammer schreiben Sie {{{{.",
    ),
    "field_slash": Words(
        en="A file name holds no slash; write folders into the folder's own field.",
        fr="Un nom de fichier n'a pas de barre oblique ; écrivez les dossiers dans leur propre champ.",
        de="Ein Dateiname hat keinen Schrägstrich; schreiben Sie Ordner in ihr eigenes Feld.",
    ),
    "direction": Words(
        en="{name} does not offer this direction. Choose another provider.",
        fr="{name} ne propose pas ce sens. Choisissez un autre fournisseur.",
        de="{name} bietet diese Richtung nicht an. Wählen Sie einen anderen Anbieter.",
    ),
    "reauthenticate": Words(
        en="Log in again to let documents move.",
        fr="Reconnectez-vous pour que les documents circulent.",
        de="Melden Sie sich erneut an, damit Dokumente übertragen werden.",
    ),
    "visit_provider": Words(
        en="Settle this at the provider; we go on by ourselves afterwards.",
        fr="Réglez cela auprès du fournisseur ; nous continuerons ensuite.",
        de="Klären Sie dies beim Anbieter; danach geht es von selbst weiter.",
    ),
    "change_options": Words(
        en="Choose another destination in the connection's options.",
        fr="Choisissez une autre destination dans les options de la connexion.",
        de="Wählen Sie in den Optionen der Verbindung ein anderes Ziel.",
    ),
    "contact_support": Words(
        en="Please contact support.",
        fr="Veuillez contacter l'assistance.",
        de="Bitte wenden Sie sich an den Support.",
    ),
}

_OTHER = Words(en="It did not work", fr="Cela n'a pas fonctionné", de="Es hat nicht funktioniert")
TITLES = {
    Reason.HOST_UNREACHABLE: Words(
        en="The server cannot be reached",
        fr="Le serveur est injoignable",
        de="Der Server ist nicht erreichbar",
    ),
    Reason.PROVIDER_DOWN: Words(
        en="The provider does not answer",
        fr="Le fournisseur ne répond pas",
        de="Der Anbieter antwortet nicht",
    ),
    Reason.RATE_LIMITED: Words(
        en="The provider asks us to wait",
        fr="Le fournisseur demande d'attendre",
        de="Der Anbieter bittet um Geduld",
    ),
    Reason.INTERRUPTED: Words(
        en="We were interrupted", fr="Nous avons été interrompus", de="Wir wurden unterbrochen"
    ),
    Reason.CREDENTIALS_WRONG: Words(
        en="The password is not accepted",
        fr="Le mot de passe est refusé",
        de="Das Passwort wird nicht angenommen",
    ),
    Reason.PASSWORD_EXPIRED: Words(
        en="The password has expired", fr="Le mot de passe a expiré", de="Das Passwort ist abgelaufen"
    ),
    Reason.CHALLENGE_NEEDED: Words(
        en="The provider asks for a new login",
        fr="Le fournisseur demande une nouvelle connexion",
        de="Der Anbieter verlangt eine neue Anmeldung",
    ),
    Reason.CONSENT_EXPIRED: Words(
        en="The permission has expired", fr="L'autorisation a expiré", de="Die Berechtigung ist abgelaufen"
    ),
    Reason.IDENTITY_CHANGED: Words(
        en="It is another account or another server",
        fr="C'est un autre compte ou un autre serveur",
        de="Es ist ein anderes Konto oder ein anderer Server",
    ),
    Reason.ADDRESS_REFUSED: Words(
        en="The address is not allowed",
        fr="L'adresse n'est pas autorisée",
        de="Die Adresse ist nicht erlaubt",
    ),
    Reason.CERTIFICATE_INVALID: Words(
        en="The server's certificate is not valid",
        fr="Le certificat du serveur n'est pas valable",
        de="Das Zertifikat des Servers ist ungültig",
    ),
    Reason.LOCKED: Words(
        en="The account is locked", fr="Le compte est verrouillé", de="Das Konto ist gesperrt"
    ),
    Reason.ACTION_ON_SITE: Words(
        en="The provider asks for something on its site",
        fr="Le fournisseur demande une action sur son site",
        de="Der Anbieter verlangt etwas auf seiner Seite",
    ),
    Reason.PERMISSION_MISSING: Words(
        en="A permission is missing", fr="Une autorisation manque", de="Eine Berechtigung fehlt"
    ),
    Reason.QUOTA_FULL: Words(
        en="There is no space left", fr="Il n'y a plus d'espace", de="Es ist kein Speicherplatz mehr frei"
    ),
    Reason.DESTINATION_MISSING: Words(
        en="The destination no longer exists",
        fr="La destination n'existe plus",
        de="Das Ziel existiert nicht mehr",
    ),
    Reason.PROVIDER_CHANGED: Words(
        en="The provider has changed", fr="Le fournisseur a changé", de="Der Anbieter hat sich geändert"
    ),
}
